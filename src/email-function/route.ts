/** The `route` action: which provider an email type should take now (WIRE.md, Choosing a provider). Never checks anything. */
import { type EmailType, PROVIDERS, type Provider } from '../domain/email.ts';
import { priorityOf, USABLE_FROM_SCORE } from '../domain/provider-rank.ts';
import { type Clock, SECOND_MS } from '../domain/time.ts';
import { type Assessment, assess, rankUsable } from './assessment.ts';
import { disabledField } from './health.ts';
import type { EmailProvider } from './provider.ts';
import type { FunctionStore } from './store.ts';

/** A recommendation is good for so long, in this instance. `forceRefresh` asks anew. */
const CACHE_MS = 30 * SECOND_MS;

export interface Recommendation {
  /** Null when no provider can send. */
  readonly provider: Provider | null;
  readonly reason: string;
  readonly alternates: readonly Provider[];
  readonly health: readonly unknown[];
}

export interface Router {
  recommend(
    emailType: EmailType,
    forceRefresh: boolean,
  ): Promise<{ readonly recommendation: Recommendation; readonly cached: boolean }>;
}

export function createRouter(parts: {
  readonly store: Pick<FunctionStore, 'providers'>;
  readonly providers: Readonly<Record<Provider, EmailProvider>>;
  readonly clock: Clock;
}): Router {
  const { clock } = parts;
  const cache = new Map<EmailType, { recommendation: Recommendation; untilEpochMs: number }>();
  return {
    recommend: async (emailType, forceRefresh) => {
      const now = clock.nowEpochMs();
      const known = cache.get(emailType);
      if (!forceRefresh && known !== undefined && now < known.untilEpochMs) {
        return { recommendation: known.recommendation, cached: true };
      }
      const states = await parts.store.providers();
      const assessments = states.map((state) => assess(state, parts.providers[state.provider], now));
      const recommendation = decide(emailType, assessments);
      cache.set(emailType, { recommendation, untilEpochMs: now + CACHE_MS });
      return { recommendation, cached: false };
    },
  };
}

/** The first of the type's priority that is healthy; if none is, the best of what is usable at all. */
function decide(emailType: EmailType, assessments: readonly Assessment[]): Recommendation {
  const order = priorityOf(emailType);
  const ranked = rankUsable(assessments, order);
  const healthy = order.filter((name) => ranked.some((usable) => usable.provider === name && usable.status === 'ok'));
  const others = ranked.map((usable) => usable.provider).filter((name) => !healthy.includes(name));
  const [provider = null, ...alternates] = [...healthy, ...others];
  return {
    provider,
    reason: reason(emailType, provider, order, assessments),
    alternates,
    health: PROVIDERS.flatMap((name) => assessments.filter((each) => each.provider === name)).map(describe),
  };
}

function reason(
  emailType: EmailType,
  chosen: Provider | null,
  order: readonly Provider[],
  assessments: readonly Assessment[],
): string {
  const before = order.slice(0, chosen === null ? order.length : order.indexOf(chosen));
  const passedOver = before
    .flatMap((name) => assessments.filter(({ provider }) => provider === name))
    .map((assessment) => `${assessment.provider} ${fault(assessment)}`)
    .join(', ');
  if (chosen === null) return `No provider can send: ${passedOver}`;
  return passedOver === '' ? `First choice for ${emailType}` : `Passed over: ${passedOver}`;
}

function fault(assessment: Assessment): string {
  if (!assessment.configured) return 'is not configured';
  if (assessment.disabled !== null) return 'is disabled';
  if (assessment.remaining === 0) return 'has used up its quota';
  if (assessment.standing.circuitState === 'open') return 'has an open circuit';
  return assessment.healthScore < USABLE_FROM_SCORE ? 'is down' : 'is degraded';
}

function describe(assessment: Assessment) {
  const { provider, status, healthScore, checkMs, standing, remaining } = assessment;
  return {
    provider,
    status,
    healthScore,
    latencyMs: Math.round(checkMs),
    circuitState: standing.circuitState,
    remaining,
    ...disabledField(assessment),
  };
}
