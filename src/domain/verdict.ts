/**
 * Is email flowing? One level and the reasons for it, worst first, in words for whoever is on call. The rules are a table
 * of small functions in `verdict-rules.ts`; this file weighs what they find.
 */
import { type Loaded, lastValue } from './loaded.ts';
import type { Snapshot } from './snapshot.ts';
import { DEFAULT_THRESHOLDS, type VerdictLevel, type VerdictReason, type VerdictThresholds } from './verdict-reason.ts';
import { VERDICT_RULES } from './verdict-rules.ts';

export type { VerdictLevel, VerdictReason, VerdictThresholds };

export interface Verdict {
  readonly level: VerdictLevel;
  /** Worst first. */
  readonly reasons: readonly VerdictReason[];
}

/** Monitoring-plugin convention (DESIGN §5). */
export const EXIT_CODE_BY_LEVEL: Readonly<Record<VerdictLevel, 0 | 1 | 2 | 3>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unreachable: 3,
};

export function verdictOf(snapshot: Snapshot, thresholds: VerdictThresholds = DEFAULT_THRESHOLDS): Verdict {
  const found = VERDICT_RULES.flatMap((rule) => rule(snapshot, thresholds));
  const reasons = isAnythingKnown(snapshot) ? found : [nothingKnown(snapshot), ...found];
  const sorted = reasons.toSorted((a, b) => EXIT_CODE_BY_LEVEL[b.level] - EXIT_CODE_BY_LEVEL[a.level]);
  return { level: sorted[0]?.level ?? 'ok', reasons: sorted };
}

function isAnythingKnown(snapshot: Snapshot): boolean {
  return partsOf(snapshot).some((part) => lastValue<unknown>(part) !== undefined);
}

function nothingKnown(snapshot: Snapshot): VerdictReason {
  const isConfigured = partsOf(snapshot).some(
    (part) => part.state !== 'failed' || part.error.code !== 'not-configured',
  );
  return isConfigured
    ? { level: 'unreachable', code: 'nothing-reachable', text: 'nothing could be read', action: 'email-ops doctor' }
    : {
        level: 'unreachable',
        code: 'nothing-configured',
        text: 'nothing is configured',
        action: 'Set the variables named below, or start without any of them for the sandbox.',
      };
}

function partsOf(snapshot: Snapshot): readonly Loaded<unknown>[] {
  const { lock, health, alerts, metrics, stats, runs, queue, schedules } = snapshot;
  return [lock, health, alerts, metrics, stats, runs, queue, schedules];
}
