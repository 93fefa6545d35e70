/** How QStash tells of its messages: its names of states, and the sentence in what an endpoint answered. */
import { z } from 'zod';
import type { MessageState } from '../domain/delivery.ts';
import { jsonOrUndefined } from './parse.ts';

/** QStash spells some states in two ways (FACTS §3). */
const STATES: Readonly<Record<string, MessageState>> = {
  CREATED: 'created',
  ACTIVE: 'active',
  IN_PROGRESS: 'active',
  DELIVERED: 'delivered',
  ERROR: 'error',
  RETRY: 'retry',
  FAILED: 'failed',
  CANCELED: 'cancelled',
  CANCELLED: 'cancelled',
  CANCEL_REQUESTED: 'cancelled',
};

export const messageState = z.string().transform((state) => STATES[state] ?? 'active');

/** Several entries of the log may carry the same millisecond; later states come later. */
const ORDER: readonly MessageState[] = ['created', 'active', 'error', 'retry', 'cancelled', 'failed', 'delivered'];

/** For sorting: the newest first. */
export function newestFirst<T extends { readonly time: number; readonly state: MessageState }>(a: T, b: T): number {
  return b.time - a.time || ORDER.indexOf(b.state) - ORDER.indexOf(a.state);
}

/** Our endpoints answer failures with JSON that has a sentence in it. */
export function sentenceOf(body: string | null): string | null {
  const answer = Answer.safeParse(jsonOrUndefined(body)).data;
  return answer?.error ?? answer?.message ?? body;
}

const Answer = z.object({ error: z.string().optional(), message: z.string().optional() });
