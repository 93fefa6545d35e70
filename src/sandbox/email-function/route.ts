/** The `route` action: which provider an email type should take now (WIRE.md, Choosing a provider). */
import { type EmailType, PROVIDERS, type Provider } from '../../domain/email.ts';
import { remainingToday } from '../../domain/quota.ts';
import { type Clock, SECOND_MS } from '../../domain/time.ts';
import { type Assess, type Assessment, rankUsable, UNUSABLE_BELOW } from './assessment.ts';

/** As long as the deployed function would remember a recommendation. `forceRefresh` asks anew. */
const CACHE_MS = 30 * SECOND_MS;

const TRANSACTIONAL: readonly Provider[] = ['resend', 'brevo', 'mailersend', 'aws_ses'];
const ACTIVITY: readonly Provider[] = ['brevo', 'mailersend', 'resend', 'aws_ses'];
const BULK: readonly Provider[] = ['brevo', 'mailersend', 'aws_ses', 'resend'];

export const PRIORITIES: Readonly<Record<EmailType, readonly Provider[]>> = {
  auth: TRANSACTIONAL,
  welcome: TRANSACTIONAL,
  goodbye: TRANSACTIONAL,
  notification: TRANSACTIONAL,
  chat: ACTIVITY,
  food_listing: ACTIVITY,
  feedback: ACTIVITY,
  review_reminder: ACTIVITY,
  newsletter: BULK,
  announcement: BULK,
};

export interface Recommendation {
  /** Null when no provider can send. */
  readonly provider: Provider | null;
  readonly reason: string;
  readonly alternates: readonly Provider[];
  readonly health: readonly unknown[];
}

export interface Router {
  recommend(emailType: EmailType, forceRefresh: boolean): { recommendation: Recommendation; cached: boolean };
}

export function createRouter(assess: Assess, clock: Clock): Router {
  const cache = new Map<EmailType, { recommendation: Recommendation; untilEpochMs: number }>();
  return {
    recommend: (emailType, forceRefresh) => {
      const now = clock.nowEpochMs();
      const known = cache.get(emailType);
      if (!forceRefresh && known !== undefined && now < known.untilEpochMs) {
        return { recommendation: known.recommendation, cached: true };
      }
      const recommendation = decide(emailType, assess);
      cache.set(emailType, { recommendation, untilEpochMs: now + CACHE_MS });
      return { recommendation, cached: false };
    },
  };
}

/** The first of the type's priority that is healthy; if none is, the best of what is usable at all. */
function decide(emailType: EmailType, assess: Assess): Recommendation {
  const order = PRIORITIES[emailType];
  const ranked = rankUsable(assess, order);
  const healthy = order.filter((name) => ranked.some((usable) => usable.provider === name && usable.status === 'ok'));
  const others = ranked.map((usable) => usable.provider).filter((name) => !healthy.includes(name));
  const [provider = null, ...alternates] = [...healthy, ...others];
  return {
    provider,
    reason: reason(emailType, provider, order, assess),
    alternates,
    health: PROVIDERS.map(assess).map(describe),
  };
}

function reason(emailType: EmailType, chosen: Provider | null, order: readonly Provider[], assess: Assess): string {
  const before = order.slice(0, chosen === null ? order.length : order.indexOf(chosen)).map(assess);
  const passedOver = before.map((assessment) => `${assessment.provider} ${fault(assessment)}`).join(', ');
  if (chosen === null) return `No provider can send: ${passedOver}`;
  return passedOver === '' ? `First choice for ${emailType}` : `Passed over: ${passedOver}`;
}

function fault(assessment: Assessment): string {
  if (!assessment.configured) return 'is not configured';
  if (remainingToday(assessment.quota) === 0) return 'has used up its quota';
  if (assessment.record.circuitState === 'open') return 'has an open circuit';
  return assessment.healthScore < UNUSABLE_BELOW ? 'is down' : 'is degraded';
}

function describe({ provider, status, healthScore, probeMs, record, quota }: Assessment) {
  const { circuitState } = record;
  return {
    provider,
    status,
    healthScore,
    latencyMs: Math.round(probeMs),
    circuitState,
    remaining: remainingToday(quota),
  };
}
