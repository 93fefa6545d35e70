/** What the verdict is made of: reasons with a level, and the thresholds that the rules go by. */
import { cleanText, maskEmailsIn } from './text.ts';

/** `unreachable`: nothing at all could be read, so nothing can be said. */
export type VerdictLevel = 'ok' | 'warning' | 'critical' | 'unreachable';

export interface VerdictReason {
  /** `ok` is a remark that raises no level, such as a system that is not configured. */
  readonly level: VerdictLevel;
  /** For programs: stable, kebab-case. */
  readonly code: string;
  /** One clean line. */
  readonly text: string;
  /** What to do about it. */
  readonly action?: string;
}

export interface VerdictThresholds {
  /** Oldest ready email. */
  readonly readyWaitWarningMs: number;
  readonly readyWaitCriticalMs: number;
  /** Missed intervals of a worker's schedule before its silence is a reason. */
  readonly missedIntervalsWarning: number;
  readonly missedIntervalsCritical: number;
  /** Emails in processing and none completed. */
  readonly noCompletionMs: number;
  /** Share of failed deliveries in the last half hour, 0–1, from `failureMinimum` deliveries on. */
  readonly failureWarning: number;
  readonly failureCritical: number;
  readonly failureMinimum: number;
  /** How long refreshes may fail before that is an outage. */
  readonly staleCriticalMs: number;
}

export const DEFAULT_THRESHOLDS: VerdictThresholds = {
  readyWaitWarningMs: 15 * 60_000,
  readyWaitCriticalMs: 60 * 60_000,
  missedIntervalsWarning: 3,
  missedIntervalsCritical: 10,
  noCompletionMs: 3 * 60_000,
  failureWarning: 0.2,
  failureCritical: 0.5,
  failureMinimum: 10,
  staleCriticalMs: 60_000,
};

/** Text from outside inside a sentence of ours. */
export function quoted(text: string): string {
  return maskEmailsIn(cleanText(text, 160));
}

export function reason(
  level: VerdictLevel,
  code: string,
  words: { text: string; action?: string | undefined },
): readonly VerdictReason[] {
  return [one(level, code, words)];
}

export function one(
  level: VerdictLevel,
  code: string,
  words: { text: string; action?: string | undefined },
): VerdictReason {
  const { text, action } = words;
  return action === undefined ? { level, code, text } : { level, code, text, action };
}
