/** The state of queue and lock in the words of the on-call person: what screens, reports and notifications say alike. Pure. */
import { drainForecast, ratesOf, trendOf } from './drain.ts';
import { formatAge, formatClock, formatCount, plural } from './format.ts';
import type { Lock, LockState } from './lock.ts';
import type { QueueOverview } from './queue.ts';
import { remainingToday } from './quota.ts';
import { cleanText, maskEmailsIn } from './text.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/** `role` says how bad it is; the colour follows from it. */
export interface Words {
  readonly text: string;
  /** The same where there is little room. */
  readonly short?: string;
  readonly role: 'text' | 'muted' | 'ok' | 'warning' | 'critical';
}

/** Will it clear, and if not, why. */
export function drainWords(overview: QueueOverview, nowEpochMs: number): Words {
  const forecast = drainForecast(overview, nowEpochMs);
  switch (forecast.kind) {
    case 'empty':
      return { text: 'empty', role: 'ok' };
    case 'waiting':
      return { text: `nothing due before ${formatClock(forecast.untilEpochMs)} UTC`, role: 'ok' };
    case 'clearing':
      return clearingWords(overview, forecast.etaMinutes, nowEpochMs);
    case 'stalled':
      return { text: 'stalled: nothing leaves', role: 'critical' };
    case 'steady':
      return { text: 'steady: every run takes what came', role: 'text' };
    case 'growing':
      return { text: `growing ${formatCount(forecast.perMinute)}/min: will not drain`, role: 'warning' };
    case 'quota-limited':
      return {
        text: `${quotaEndWords(overview, nowEpochMs)}, ${formatCount(forecast.left)} stay until ${whenWords(forecast.endsAtEpochMs, nowEpochMs)}`,
        role: 'critical',
      };
    default:
      return forecast satisfies never;
  }
}

/** While more comes than leaves, the forecast takes it for a burst that ends: whoever sees both has to be told. */
function clearingWords(overview: QueueOverview, etaMinutes: number, nowEpochMs: number): Words {
  const about = (minutes: number) => `~${formatAge(Math.max(MINUTE_MS, minutes * MINUTE_MS))}`;
  const rates = ratesOf(overview, nowEpochMs);
  if (trendOf(rates) !== 'rising') return { text: `clears in ${about(etaMinutes)}`, role: 'ok' };
  const time = about((overview.counts.queued + overview.counts.processing) / rates.sentPerMinute);
  return { text: `clears in ${time} if no more comes`, short: `clears ${time} if none comes`, role: 'text' };
}

function quotaEndWords(overview: QueueOverview, nowEpochMs: number): string {
  const left = overview.quotas.reduce((sum, quota) => sum + remainingToday(quota), 0);
  if (left === 0) return 'quota gone';
  const { sentPerMinute } = ratesOf(overview, nowEpochMs);
  if (sentPerMinute === 0) return `${formatCount(left)} of the quota left`;
  return `quota ends ~${formatClock(nowEpochMs + (left / sentPerMinute) * MINUTE_MS)}`;
}

/** `16:40 UTC`, with the day where that is not within a day. */
export function whenWords(atEpochMs: number, nowEpochMs: number): string {
  const clock = `${formatClock(atEpochMs)} UTC`;
  if (Math.abs(atEpochMs - nowEpochMs) <= DAY_MS + MINUTE_MS) return clock;
  return `${new Date(atEpochMs).toISOString().slice(5, 10)} ${clock}`;
}

/** Who holds the lock and until when. `inFlight`: emails that a pause does not hold back any more. */
export function holderWords(lock: Exclude<Lock, { kind: 'free' }>, nowEpochMs: number, inFlight = 0): string {
  const left = lock.expiresAtEpochMs === null ? 'without end' : `${countdown(lock.expiresAtEpochMs - nowEpochMs)} left`;
  switch (lock.kind) {
    case 'paused': {
      const drained = inFlight === 0 ? '' : `, ${formatCount(inFlight)} still in flight`;
      const reason = lock.reason === '' ? '' : `: ${outside(lock.reason, 80)}`;
      return `paused by ${outside(`${lock.operator}@${lock.host}`, 50)}, ${left}${drained}${reason}`;
    }
    case 'worker':
      return `held by worker ${outside(lock.host, 40)}/${lock.pid}, ${left}`;
    case 'unknown-holder':
      return `held by an unknown worker, ${left}`;
    default:
      return lock satisfies never;
  }
}

/** What to add where workers in other slots hold the lock as well: `, 1 more slot`. */
export function otherSlotsWords({ otherSlotsHeld = 0 }: LockState): string {
  return otherSlotsHeld === 0 ? '' : `, ${plural(otherSlotsHeld, 'more slot')}`;
}

/** The lock in a few words, and how far a pause has come. `inFlight`: emails in processing, null where nobody knows. */
export function lockWords(state: LockState, inFlight: number | null, nowEpochMs: number): Words {
  const { lock, announcedPause } = state;
  if (lock.kind === 'paused' && announcedPause === null) {
    return { text: holderWords(lock, nowEpochMs, inFlight ?? 0).replace('paused', 'PAUSED'), role: 'warning' };
  }
  if (announcedPause !== null) {
    // With several slots it may hold one and wait for another.
    const isInPart = lock.kind === 'free' || lock.kind === 'paused';
    const holder = isInPart ? 'waits for the lock' : holderWords(lock, nowEpochMs) + otherSlotsWords(state);
    const flying = inFlight === null ? '' : `, ${formatCount(inFlight)} in flight`;
    return { text: `PAUSING for ${outside(announcedPause.operator, 40)}: ${holder}${flying}`, role: 'warning' };
  }
  if (lock.kind === 'free') return { text: 'lock free', role: 'muted' };
  const role = lock.expiresAtEpochMs === null ? 'critical' : 'text';
  return { text: `lock ${holderWords(lock, nowEpochMs)}${otherSlotsWords(state)}`, role };
}

/** `29:41`, `1:04:09`. Counts down by the second, and takes few bytes to do so. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Text from outside in a sentence of ours: one clean line, addresses masked. */
export function outside(text: string, maxLength: number): string {
  return maskEmailsIn(cleanText(text, maxLength));
}
