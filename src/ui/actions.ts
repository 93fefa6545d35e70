/**
 * The one door through which the dashboard changes anything: requests as data, and a handler for each kind that this
 * console can do. What has no handler is not offered. `commands/watch.ts` wires the handlers.
 */

import type { Provider } from '../domain/email.ts';
import type { ListedStatus } from '../domain/queue-page.ts';
import type { WorkerName } from '../domain/run.ts';

export type ActionRequest =
  | { readonly kind: 'pause'; readonly forMs: number; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'run'; readonly worker: WorkerName }
  | { readonly kind: 'workers'; readonly on: boolean }
  | { readonly kind: 'acknowledge'; readonly fingerprints: readonly string[] }
  | { readonly kind: 'retry'; readonly target: QueueTarget }
  | { readonly kind: 'discard'; readonly target: QueueTarget }
  | { readonly kind: 'redrive'; readonly deadLetterIds: readonly string[] }
  | { readonly kind: 'schedule'; readonly id: string; readonly change: 'pause' | 'resume' | 'trigger' }
  /** Of what QStash gave up on. */
  | { readonly kind: 'dead-delivery'; readonly change: 'retry' | 'delete'; readonly ids: readonly string[] }
  | { readonly kind: 'reset-circuit'; readonly provider: Provider }
  | {
      readonly kind: 'disable-provider';
      readonly provider: Provider;
      readonly untilEpochMs: number;
      readonly reason: string;
    }
  | { readonly kind: 'enable-provider'; readonly provider: Provider }
  /** Changes nothing outside but the audit list. */
  | { readonly kind: 'unmask'; readonly on: boolean }
  /** Markdown into a file whose path is in the answer. */
  | { readonly kind: 'report'; readonly markdown: string };

export type QueueTarget =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  /** Dead letters by their own ids. */
  | { readonly by: 'letters'; readonly ids: readonly string[] }
  /** A whole group, as `ErrorGroup` names it. */
  | { readonly by: 'error'; readonly status: ListedStatus; readonly errorKind: string };

export type ActionKind = ActionRequest['kind'];

export interface ActionContext {
  readonly signal: AbortSignal;
  /** Called as often as there is news; the dashboard merges. */
  onProgress(progress: ActionProgress): void;
}

export interface ActionProgress {
  /** Such as `37/100 sent, 1 failed, 9 in flight`. */
  readonly text: string;
  /** 0–1 where it is known. */
  readonly share?: number;
}

export interface ActionOutcome {
  readonly level: 'ok' | 'warning' | 'critical';
  /** One line: what happened, to what; where it did not, why and what to do. */
  readonly text: string;
}

/** Handlers may reject: that is shown as a failure. They write the audit list themselves. */
export type Actions = {
  readonly [K in ActionKind]?: (
    request: Extract<ActionRequest, { kind: K }>,
    context: ActionContext,
  ) => Promise<ActionOutcome>;
};

/** Requests that change something in a system outside; read-only consoles never send them. */
export const CHANGING_ACTIONS: ReadonlySet<ActionKind> = new Set<ActionKind>([
  'pause',
  'resume',
  'run',
  'workers',
  'acknowledge',
  'retry',
  'discard',
  'redrive',
  'schedule',
  'reset-circuit',
  'disable-provider',
  'enable-provider',
  'dead-delivery',
]);

/** Does what is asked. Never rejects: what goes wrong is an outcome. */
export async function perform(
  actions: Actions,
  request: ActionRequest,
  context: ActionContext,
): Promise<ActionOutcome> {
  const handler = actions[request.kind] as
    | ((request: ActionRequest, context: ActionContext) => Promise<ActionOutcome>)
    | undefined;
  if (handler === undefined) return { level: 'warning', text: `${request.kind} is not possible from this console` };
  try {
    return await handler(request, context);
  } catch (error) {
    if (context.signal.aborted) return { level: 'warning', text: `${request.kind} was broken off` };
    const text = error instanceof Error ? error.message : String(error);
    return { level: 'critical', text: `${request.kind} failed: ${text}` };
  }
}
