/**
 * Every send attempt, in a journal, written before its answer is given. Quota counts and remembered idempotency keys are
 * read from it, so they survive a kill exactly as far as the outbox itself does.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { DAY_MS, utcDay } from '../../domain/time.ts';
import { openJournal } from '../journal.ts';

const attemptSchema = z.object({
  atEpochMs: z.number(),
  provider: z.enum(PROVIDERS),
  idempotencyKey: z.string().nullable(),
  to: z.string(),
  subject: z.string(),
  outcome: z.enum(['delivered', 'failed']),
  /** Why it failed; null when delivered. `not-asked`: its circuit was open, or an operator had disabled it. */
  failure: z.enum(['transient', 'permanent', 'quota', 'unanswered', 'rate-limited', 'not-asked']).nullable(),
  message: z.string().nullable(),
  messageId: z.string().nullable(),
  latencyMs: z.number(),
  /** True when the key was known and nothing was sent: the answer is that of the first send. */
  repeat: z.boolean(),
  /** Which of the provider's random streams decided it; null when chance had no part. */
  draw: z.number().nullable(),
});

/** What remains of attempts that compaction dropped: what is counted must stay counted. */
const carriedSchema = z.object({
  carried: z.object({
    /** Delivered emails by `provider/YYYY-MM-DD`. */
    delivered: z.record(z.string(), z.number()),
    nextDraw: z.record(z.string(), z.number()),
    dropped: z.number(),
  }),
});

const lineSchema = z.union([attemptSchema, carriedSchema]);

export type SendAttempt = Readonly<z.infer<typeof attemptSchema>>;
type Carried = z.infer<typeof carriedSchema>['carried'];
type Line = z.infer<typeof lineSchema>;

export interface OutboxFilter {
  /** At most so many, newest first. 100 if not given. */
  readonly limit?: number | undefined;
  /** Only attempts at or after this time. */
  readonly sinceEpochMs?: number | undefined;
  readonly provider?: Provider | undefined;
  readonly outcome?: SendAttempt['outcome'] | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly to?: string | undefined;
}

/** Counts over the attempts that are kept. `attempts = delivered + repeats + failed`. */
export interface OutboxSummary {
  readonly attempts: number;
  readonly delivered: number;
  readonly repeats: number;
  readonly failed: number;
  readonly byProvider: Readonly<Record<Provider, { delivered: number; repeats: number; failed: number }>>;
  readonly distinctKeys: number;
  /** Keys under which more than one email really went out. Anything but 0 means somebody got an email twice. */
  readonly doubled: number;
  /** Older attempts that compaction dropped; not part of the other numbers. */
  readonly dropped: number;
}

export interface Outbox {
  record(attempt: SendAttempt): void;
  list(filter?: OutboxFilter): readonly SendAttempt[];
  summary(): OutboxSummary;
  /** The delivery under this key in the last 24 hours, if any. */
  firstDelivery(idempotencyKey: string, nowEpochMs: number): SendAttempt | null;
  /** Emails that really went out through a provider on the UTC day or month that `prefix` (`YYYY-MM-DD`, `YYYY-MM`) names. */
  deliveredIn(provider: Provider, prefix: string): number;
  nextDraw(provider: Provider): number;
  close(): void;
}

/** Opens the outbox in `folder`. Once a quarter more than `keep` attempts are held, the oldest are dropped down to `keep`. */
export function openOutbox(folder: string, keep = 200_000): Outbox {
  const journal = openJournal<Line>(join(folder, 'outbox.jsonl'), (value) => lineSchema.parse(value));
  let carried: Carried = { delivered: {}, nextDraw: {}, dropped: 0 };
  let attempts: SendAttempt[] = [];
  const delivered = new Map<string, number>();
  const nextDraw = new Map<string, number>();
  let keys = createKeyIndex();

  const remember = (attempt: SendAttempt) => {
    attempts.push(attempt);
    keys.add(attempt);
    if (attempt.draw !== null) raise(nextDraw, attempt.provider, attempt.draw + 1);
    if (isNewDelivery(attempt)) increase(delivered, `${attempt.provider}/${utcDay(attempt.atEpochMs)}`, 1);
  };

  const compact = () => {
    const drop = attempts.slice(0, attempts.length - keep);
    const dropped = new Map(Object.entries(carried.delivered));
    for (const attempt of drop.filter(isNewDelivery)) {
      increase(dropped, `${attempt.provider}/${utcDay(attempt.atEpochMs)}`, 1);
    }
    carried = {
      delivered: Object.fromEntries(dropped),
      nextDraw: Object.fromEntries(nextDraw),
      dropped: carried.dropped + drop.length,
    };
    attempts = attempts.slice(drop.length);
    keys = createKeyIndex();
    for (const attempt of attempts) keys.add(attempt);
    journal.rewrite([{ carried }, ...attempts]);
  };

  for (const line of journal.replayed) {
    if (!('carried' in line)) {
      remember(line);
      continue;
    }
    carried = line.carried;
    for (const [key, count] of Object.entries(carried.delivered)) increase(delivered, key, count);
    for (const [provider, draw] of Object.entries(carried.nextDraw)) raise(nextDraw, provider, draw);
  }

  return {
    record: (attempt) => {
      journal.append(attempt);
      remember(attempt);
      if (attempts.length > keep * 1.25) compact();
    },
    list: (filter = {}) => newestFirst(attempts, filter),
    summary: () => ({ ...summarize(attempts), ...keys.counts(), dropped: carried.dropped }),
    firstDelivery: (key, nowEpochMs) => {
      const first = keys.delivery(key);
      return first !== null && nowEpochMs - first.atEpochMs < DAY_MS ? first : null;
    },
    deliveredIn: (provider, prefix) => {
      let sum = 0;
      for (const [key, count] of delivered) if (key.startsWith(`${provider}/${prefix}`)) sum += count;
      return sum;
    },
    nextDraw: (provider) => nextDraw.get(provider) ?? 0,
    close: () => journal.close(),
  };
}

function isNewDelivery(attempt: SendAttempt): boolean {
  return attempt.outcome === 'delivered' && !attempt.repeat;
}

interface KeyIndex {
  add(attempt: SendAttempt): void;
  /** After 24 h a key may deliver again, as with the providers; then the newest delivery is the one to answer with. */
  delivery(key: string): SendAttempt | null;
  counts(): { distinctKeys: number; doubled: number };
}

function createKeyIndex(): KeyIndex {
  const deliveries = new Map<string, SendAttempt | null>();
  const doubled = new Set<string>();
  return {
    add: (attempt) => {
      const key = attempt.idempotencyKey;
      if (key === null) return;
      const known = deliveries.get(key) ?? null;
      if (known !== null && isNewDelivery(attempt)) doubled.add(key);
      deliveries.set(key, isNewDelivery(attempt) ? attempt : known);
    },
    delivery: (key) => deliveries.get(key) ?? null,
    counts: () => ({ distinctKeys: deliveries.size, doubled: doubled.size }),
  };
}

function newestFirst(attempts: readonly SendAttempt[], filter: OutboxFilter): readonly SendAttempt[] {
  const found: SendAttempt[] = [];
  const limit = filter.limit ?? 100;
  for (let at = attempts.length - 1; at >= 0 && found.length < limit; at--) {
    const attempt = attempts[at];
    if (attempt === undefined || (filter.sinceEpochMs ?? 0) > attempt.atEpochMs) continue;
    if (filter.provider !== undefined && filter.provider !== attempt.provider) continue;
    if (filter.outcome !== undefined && filter.outcome !== attempt.outcome) continue;
    if (filter.idempotencyKey !== undefined && filter.idempotencyKey !== attempt.idempotencyKey) continue;
    if (filter.to !== undefined && filter.to !== attempt.to) continue;
    found.push(attempt);
  }
  return found;
}

function summarize(attempts: readonly SendAttempt[]): Omit<OutboxSummary, 'distinctKeys' | 'doubled' | 'dropped'> {
  const byProvider = Object.fromEntries(
    PROVIDERS.map((name) => [name, { delivered: 0, repeats: 0, failed: 0 }]),
  ) as Record<Provider, { delivered: number; repeats: number; failed: number }>;
  const total = { delivered: 0, repeats: 0, failed: 0 };
  for (const attempt of attempts) {
    const kind = attempt.repeat ? 'repeats' : attempt.outcome;
    byProvider[attempt.provider][kind] += 1;
    total[kind] += 1;
  }
  return { attempts: attempts.length, ...total, byProvider };
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function raise(marks: Map<string, number>, key: string, to: number): void {
  marks.set(key, Math.max(marks.get(key) ?? 0, to));
}
