/** What several schemas are made of. Only the docs and the tests load these files: what is printed is not checked twice. */
import { z } from 'zod';
import { PROVIDERS } from '../../domain/email.ts';

export const time = z.iso.datetime();
export const count = z.int().nonnegative();
export const skipped = count.describe('entries that were found and could not be read');
export const milliseconds = z.number().nonnegative();
export const percent = z.number().min(0).max(100);
export const provider = z.enum(PROVIDERS);

export const fault = z.strictObject({
  code: z
    .enum([
      'not-configured',
      'timeout',
      'unreachable',
      'unauthorized',
      'missing-schema',
      'rate-limited',
      'protocol',
      'cancelled',
      'internal',
    ])
    .describe('stable, for programs'),
  message: z.string().describe('one line'),
  remedy: z.string().optional().describe('what to do about it'),
});

/** A part of a snapshot, which may be missing on its own. */
export function part<T extends z.ZodType>(value: T, description: string) {
  return z
    .discriminatedUnion('state', [
      z.strictObject({ state: z.literal('ok'), at: time, value }),
      z.strictObject({ state: z.literal('stale'), at: time, value, error: fault, failingSince: time.optional() }),
      z.strictObject({ state: z.literal('failed'), error: fault }),
    ])
    .describe(description);
}

export const alert = z.strictObject({
  severity: z.enum(['critical', 'error', 'warning', 'notice']),
  text: z.string().describe('without its severity and time'),
  at: time.nullable().describe('the newest occurrence; null where a legacy monitor wrote none'),
  fingerprint: z.string().describe('the same for every repetition: the id that `alerts ack` takes'),
  repeats: count.describe('how often it stands in the list'),
  acknowledged: z.strictObject({ by: z.string(), at: time.nullable() }).nullable(),
});

export const quotaUse = z.strictObject({ sent: count, limit: count });
export const quota = z.strictObject({ provider, day: quotaUse, month: quotaUse });

export const schedule = z.strictObject({
  id: z.string(),
  cron: z.string(),
  destination: z.string(),
  isPaused: z.boolean(),
  method: z.string().optional(),
  retries: count.optional(),
  lastRunAt: time.nullable(),
  nextRunAt: time.nullable(),
  lastState: z.enum(['in-progress', 'success', 'fail', 'unknown']).describe('of its last delivery'),
});

export const scheduleOverview = {
  schedules: z.array(schedule),
  deadLetters: count.describe('messages that QStash gave up on and keeps'),
  deadLettersTruncated: z.boolean().describe('there are more pages of them: `deadLetters` is a lower bound'),
  skipped,
};
