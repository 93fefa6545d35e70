/** What the Queue view does to emails: retry, discard, redrive; some, or a whole group in portions. All audited. */
import { createQueue, type Touched } from '../../data/queue.ts';
import { createQueueFinder } from '../../data/queue-finder.ts';
import { formatCount, plural } from '../../domain/format.ts';
import { cleanText, maskEmailsIn } from '../../domain/text.ts';
import type { ActionContext, ActionOutcome, Actions, QueueTarget } from '../../ui/actions.ts';
import type { Systems } from '../connect.ts';

export interface QueueActionsOptions {
  readonly systems: Systems;
  /** Writes the audit list; answers what is to be added to the outcome, empty where all went well. */
  readonly audit: (action: string, target: string, outcome?: string) => Promise<string>;
}

/** So many at once stay far below the statement timeout of a small database. */
const PORTION = 500;

const REASON = 'discarded by an operator';

export function queueActions({ systems, audit }: QueueActionsOptions): Actions {
  if (systems.supabase === null) return {};
  const { client } = systems.supabase;
  const queue = createQueue(client);
  const finder = createQueueFinder(client);

  /** All ids of a target, portion by portion; those of a group are looked for while the first are done already. */
  async function* portions(target: QueueTarget, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const { by } = target;
    if (by !== 'error') yield* inPortions(target.ids);
    else {
      const { status, errorKind } = target;
      // By age: that is what neither retrying nor discarding changes, so the pages stay where they are.
      const query = { status, errorKind, sort: 'oldest' } as const;
      for await (const ids of finder.ids(query, signal)) yield* inPortions(ids);
    }
  }

  const apply = async (verb: Verb, target: QueueTarget, context: ActionContext): Promise<ActionOutcome> => {
    const isLetters = target.by === 'letters' || (target.by === 'error' && target.status === 'dead');
    const change = changeOf(verb, isLetters);
    const done = verb === DISCARD && isLetters ? 'marked as reviewed' : verb.done;
    const touched = { ids: [] as string[], skipped: [] as Touched['skipped'][number][] };
    let fault: unknown = null;
    try {
      for await (const ids of portions(target, context.signal)) {
        context.signal.throwIfAborted();
        const step = await change(ids);
        touched.ids.push(...step.ids);
        touched.skipped.push(...step.skipped);
        context.onProgress({ text: `${formatCount(touched.ids.length)} ${done} so far` });
      }
    } catch (error) {
      fault = error;
    }
    const outcome = outcomeOf({ ...verb, done }, touched, fault);
    const missing = await audit(verb.name, targetWords(target), outcome.level === 'ok' ? 'ok' : outcome.text);
    return { ...outcome, text: `${outcome.text}${missing}` };
  };

  const changeOf = (verb: Verb, isLetters: boolean): ((ids: readonly string[]) => Promise<Touched>) => {
    if (verb === RETRY) return isLetters ? queue.redrive : queue.retry;
    return isLetters ? finder.review : (ids) => queue.discard(ids, REASON);
  };

  return {
    retry: ({ target }, context) => apply(RETRY, target, context),
    discard: ({ target }, context) => apply(DISCARD, target, context),
    redrive: ({ deadLetterIds }, context) => apply(RETRY, { by: 'letters', ids: deadLetterIds }, context),
  };
}

interface Verb {
  readonly name: 'retry' | 'discard';
  readonly done: string;
}

const RETRY: Verb = { name: 'retry', done: 'queued again' };
const DISCARD: Verb = { name: 'discard', done: 'discarded' };

function* inPortions(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += PORTION) yield ids.slice(at, at + PORTION);
}

/** What was done stays done: a fault in the middle says how far it came. */
function outcomeOf(verb: Verb, { ids, skipped }: Touched, fault: unknown): ActionOutcome {
  const done = `${plural(ids.length, 'email')} ${verb.done}${skippedWords(skipped)}`;
  if (fault !== null) {
    const why = fault instanceof Error ? maskEmailsIn(cleanText(fault.message, 300)) : 'it failed';
    return { level: 'critical', text: ids.length === 0 ? `${verb.name} failed: ${why}` : `${done}; then: ${why}` };
  }
  return { level: skipped.length === 0 ? 'ok' : 'warning', text: done };
}

const REASONS_SHOWN = 3;

/** `, 12 left out: already sent (10), not found (2)`. */
function skippedWords(skipped: Touched['skipped']): string {
  if (skipped.length === 0) return '';
  const counts = new Map<string, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts]
    .toSorted(([reason, a], [other, b]) => b - a || reason.localeCompare(other))
    .slice(0, REASONS_SHOWN);
  const words = reasons.map(([reason, count]) => `${cleanText(reason, 80)} (${formatCount(count)})`);
  return `, ${formatCount(skipped.length)} left out: ${words.join(', ')}`;
}

function targetWords(target: QueueTarget): string {
  if (target.by === 'error') return `all ${target.status} with "${cleanText(target.errorKind, 120)}"`;
  const [first = ''] = target.ids;
  return target.ids.length === 1 ? first : `${first} and ${formatCount(target.ids.length - 1)} more`;
}
