/**
 * Which provider an email goes through now: what `route` advised, minus what is used up, resting or over its rate. Knows
 * what this run has seen of each provider, and asks for new advice when sends start failing.
 */
import type { Provider } from '../domain/email.ts';
import { type Advice, rankProviders } from '../domain/provider-rank.ts';
import { createRateBucket, DEFAULT_REST_MS, type RateBucket, rateOf } from '../domain/provider-rates.ts';
import type { ProviderQuota } from '../domain/quota.ts';
import type { QuotaLedger } from '../domain/quota-ledger.ts';
import type { SendFailure } from '../domain/send-failure.ts';
import type { Clock } from '../domain/time.ts';

export type Choice =
  /** Reserved in the ledger and taken from its rate: send, then report. */
  | { readonly kind: 'provider'; readonly provider: Provider }
  /** Those that are left rest until then; infinity: until somebody repairs them. */
  | { readonly kind: 'wait'; readonly untilEpochMs: number }
  | { readonly kind: 'used-up'; readonly resetsAtEpochMs: number }
  /** Every provider has been tried, or is passed over for its health. */
  | { readonly kind: 'none' };

export interface ProviderChoice {
  choose(request: {
    readonly email: { readonly id: string; readonly emailType: string };
    /** Passed over: they failed this email already. */
    readonly tried: ReadonlySet<Provider>;
    /** The only one that may be used, because it may have sent this email before. */
    readonly only: Provider | null;
  }): Promise<Choice>;
  /** `by` is who really sent it, where that is known to be another. */
  sent(provider: Provider, by?: Provider): void;
  /** Chosen, but the email did not get as far as the provider. */
  notSent(provider: Provider): void;
  failed(provider: Provider, failure: SendFailure, emailType: string): void;
}

/** As the email function offers it. */
export type AskRoute = (emailType: string, options: { forceRefresh?: boolean }, signal: AbortSignal) => Promise<Advice>;

const ROUTE_TIMEOUT_MS = 5_000;
/** So many failures in a row, and a provider rests for everybody. */
const BREAKS_AFTER = 3;
const BREAK_MS = 30_000;
/** New advice is asked for after so many failures of a type, but not more often than this. */
const ASK_AGAIN_AFTER_FAILURES = 3;
const ASK_AGAIN_AFTER_MS = 5_000;
const MIN_REST_MS = 200;

interface Advised {
  advice: Promise<Advice | null>;
  askedAtEpochMs: number;
  failures: number;
}

export function createProviderChoice(parts: {
  readonly ledger: QuotaLedger;
  readonly quotas: readonly ProviderQuota[];
  readonly route: AskRoute;
  /** Until when an operator took it out, epoch ms; 0 where it may be used. */
  readonly disabledUntil: (provider: Provider) => number;
  readonly clock: Clock;
  /** Instead of the known rates. */
  readonly ratesPerSecond?: Partial<Record<Provider, number>>;
  /** Told when advice could not be had; the type's priority is used instead. */
  readonly onRouteFailed: (emailType: string, error: unknown) => void;
}): ProviderChoice {
  const { ledger, clock } = parts;
  const byType = new Map<string, Advised>();
  const restsUntil = new Map<Provider, number>();
  const failuresInRow = new Map<Provider, number>();
  const buckets = new Map<Provider, RateBucket>();

  const ask = (emailType: string, forceRefresh: boolean, fallback: Advice | null): Promise<Advice | null> =>
    parts
      .route(emailType, forceRefresh ? { forceRefresh } : {}, AbortSignal.timeout(ROUTE_TIMEOUT_MS))
      .catch((error: unknown) => {
        parts.onRouteFailed(emailType, error);
        return fallback;
      });

  const adviceFor = (emailType: string): Promise<Advice | null> => {
    let advised = byType.get(emailType);
    if (advised === undefined) {
      advised = { advice: ask(emailType, false, null), askedAtEpochMs: clock.nowEpochMs(), failures: 0 };
      byType.set(emailType, advised);
    }
    return advised.advice;
  };

  const askAgain = async (emailType: string, advised: Advised): Promise<void> => {
    advised.failures = 0;
    advised.askedAtEpochMs = clock.nowEpochMs();
    const known = await advised.advice;
    const fresh = await ask(emailType, true, known);
    // Only now: those who choose meanwhile use the old advice and need not wait.
    advised.advice = Promise.resolve(fresh);
  };

  const bucketOf = (provider: Provider): RateBucket => {
    const dailyLimit = parts.quotas.find((quota) => quota.provider === provider)?.day.limit ?? 0;
    const bucket =
      buckets.get(provider) ?? createRateBucket(parts.ratesPerSecond?.[provider] ?? rateOf(provider, dailyLimit));
    buckets.set(provider, bucket);
    return bucket;
  };

  const rest = (provider: Provider, ms: number): void => {
    const until = clock.nowEpochMs() + Math.max(MIN_REST_MS, ms);
    restsUntil.set(provider, Math.max(until, restsUntil.get(provider) ?? 0));
  };

  return {
    choose: async ({ email, tried, only }) => {
      const advice = only === null ? await adviceFor(email.emailType) : null;
      // From here to the reservation nothing is awaited, so that two emails cannot take the same last place.
      const now = clock.nowEpochMs();
      const ranked = only === null ? rankProviders(email, advice, ledger.left) : [only];
      const candidates = ranked.filter((provider) => !tried.has(provider) && ledger.left(provider) > 0);
      if (candidates.length === 0) {
        const isUsedUp = only === null ? !ledger.isAnythingLeft() : ledger.left(only) <= 0;
        return isUsedUp ? { kind: 'used-up', resetsAtEpochMs: ledger.resetsAtEpochMs(now, only) } : { kind: 'none' };
      }
      let untilEpochMs = Number.POSITIVE_INFINITY;
      for (const provider of candidates) {
        const restedAt = Math.max(restsUntil.get(provider) ?? 0, parts.disabledUntil(provider));
        const readyAt = Math.max(restedAt, bucketOf(provider).nextAtEpochMs(now));
        untilEpochMs = Math.min(untilEpochMs, readyAt);
        if (readyAt > now) continue;
        ledger.reserve(provider);
        bucketOf(provider).take(now);
        return { kind: 'provider', provider };
      }
      return { kind: 'wait', untilEpochMs };
    },
    sent: (provider, by = provider) => {
      failuresInRow.delete(provider);
      if (by === provider) return;
      ledger.refund(provider);
      ledger.reserve(by);
    },
    notSent: (provider) => ledger.refund(provider),
    failed: (provider, failure, emailType) => {
      // Whether an unanswered email counts against the quota nobody knows: better one too many than one too few.
      if (failure.kind !== 'unanswered') ledger.refund(provider);
      if (failure.kind === 'permanent') return;
      if (failure.kind === 'quota') return ledger.markUsedUp(provider, failure.period);
      if (failure.kind === 'rate-limited') return rest(provider, failure.retryAfterMs ?? DEFAULT_REST_MS[provider]);
      if (failure.kind === 'refused') rest(provider, Number.POSITIVE_INFINITY);
      const inRow = (failuresInRow.get(provider) ?? 0) + 1;
      failuresInRow.set(provider, inRow);
      if (inRow >= BREAKS_AFTER) rest(provider, Math.max(BREAK_MS, failure.retryAfterMs ?? 0));

      const advised = byType.get(emailType);
      if (advised === undefined) return;
      advised.failures += 1;
      const isRecent = clock.nowEpochMs() - advised.askedAtEpochMs < ASK_AGAIN_AFTER_MS;
      if (advised.failures >= ASK_AGAIN_AFTER_FAILURES && !isRecent) void askAgain(emailType, advised);
    },
  };
}
