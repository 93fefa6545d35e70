/**
 * In which order an email tries the providers (WIRE.md, Choosing a provider): as `route` advises or else by the type's
 * priority, spread by what is left of the quotas, so that no provider runs dry while others are fresh. Pure, and the same
 * answer for the same email: a resend after a crash most likely meets the provider that can recognise it.
 */
import { type EmailType, isProvider, PROVIDERS, type Provider } from './email.ts';

/** What the email function's `route` advises. */
export interface Advice {
  readonly provider: string | null;
  readonly alternates: readonly string[];
  /** What the function knows of each provider; empty where it does not say. */
  readonly health: readonly ProviderCondition[];
}

export interface ProviderCondition {
  readonly provider: string;
  readonly status: string | null;
  /** 0–100. */
  readonly healthScore: number | null;
  readonly circuitState: string | null;
}

const TRANSACTIONAL: readonly Provider[] = ['resend', 'brevo', 'mailersend', 'aws_ses'];
const ACTIVITY: readonly Provider[] = ['brevo', 'mailersend', 'resend', 'aws_ses'];
const BULK: readonly Provider[] = ['brevo', 'mailersend', 'aws_ses', 'resend'];

const PRIORITY: Readonly<Record<EmailType, readonly Provider[]>> = {
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

/** A provider under this score is passed over. */
export const USABLE_FROM_SCORE = 20;

/** How much more often an earlier place in the order is taken, where the same is left. */
const PREFERENCE = [8, 4, 2, 1] as const;

/** The priority of a type, for types we do not know that of chat and the like. */
export function priorityOf(emailType: string): readonly Provider[] {
  return Object.hasOwn(PRIORITY, emailType) ? PRIORITY[emailType as EmailType] : ACTIVITY;
}

/**
 * Every provider that is worth trying for this email, the one to try first in front. `left` is what remains of each one's
 * quota; without any it is passed over, as are open circuits, missing configuration and a health under 20.
 */
export function rankProviders(
  email: { readonly id: string; readonly emailType: string },
  advice: Advice | null,
  left: (provider: Provider) => number,
): readonly Provider[] {
  const order = orderOf(email.emailType, advice);
  const weighted = order.flatMap((provider, place) => {
    const condition = advice?.health.find((each) => each.provider === provider);
    const rest = left(provider);
    if (rest <= 0 || !isUsable(condition)) return [];
    const weight = rest * (PREFERENCE[place] ?? 1) * ((condition?.healthScore ?? 100) / 100);
    // Weighted rendezvous hashing: the draw depends on email and provider only, so another's change moves few emails.
    return [{ provider, key: -Math.log(draw(`${email.id}/${provider}`)) / weight }];
  });
  return weighted.sort((a, b) => a.key - b.key).map(({ provider }) => provider);
}

function orderOf(emailType: string, advice: Advice | null): readonly Provider[] {
  const advised = advice === null ? [] : [advice.provider, ...advice.alternates].filter(isProvider);
  return [...new Set([...advised, ...priorityOf(emailType), ...PROVIDERS])];
}

function isUsable(condition: ProviderCondition | undefined): boolean {
  if (condition === undefined) return true;
  return (
    condition.status !== 'unconfigured' &&
    condition.circuitState !== 'open' &&
    (condition.healthScore ?? 100) >= USABLE_FROM_SCORE
  );
}

/** A number in (0, 1) that looks random and depends on the text alone (FNV-1a with a final mix). */
function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 4_294_967_296;
}
