/** The verdict as one line for Nagios, Icinga and whatever else speaks the monitoring-plugin format: text, then figures. Pure. */
import { lastValue } from '../../domain/loaded.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { cleanText } from '../../domain/text.ts';
import type { Verdict, VerdictLevel } from '../../domain/verdict.ts';

const STATUS: Readonly<Record<VerdictLevel, string>> = {
  ok: 'OK',
  warning: 'WARNING',
  critical: 'CRITICAL',
  unreachable: 'UNKNOWN',
};
const REASONS_SHOWN = 3;

/** `EMAIL CRITICAL - resend is down; 88 waiting | ready=88 oldest_ready=312s …`. A `|` in the text would end it: it becomes `/`. */
export function monitoringLine(snapshot: Snapshot, { level, reasons }: Verdict): string {
  const told = reasons.filter((reason) => reason.level === level && level !== 'ok').map(({ text }) => text);
  const more = told.length > REASONS_SHOWN ? [`${told.length - REASONS_SHOWN} more`] : [];
  const words = level === 'ok' ? 'email is flowing' : [...told.slice(0, REASONS_SHOWN), ...more].join('; ');
  // A check that lost its variables must not look like one of the real system.
  const where = snapshot.environment.isSandbox ? 'SANDBOX, nothing here is real: ' : '';
  const line = cleanText(`EMAIL ${STATUS[level]} - ${where}${words}`, 500).replaceAll('|', '/');
  const figures = figuresOf(snapshot);
  return figures.length === 0 ? line : `${line} | ${figures.join(' ')}`;
}

/** The same line for what went wrong before anything was read. */
export function unknownLine(why: string): string {
  return `EMAIL UNKNOWN - ${cleanText(why, 500).replaceAll('|', '/')}`;
}

/** `label=value[unit];;;least`, as the plugin guidelines have it. What is not known is left out. */
function figuresOf({ queue, alerts, health, takenAtEpochMs }: Snapshot): readonly string[] {
  const overview = lastValue(queue);
  const feed = lastValue(alerts);
  const report = lastValue(health)?.report ?? null;
  return [
    ...(overview === undefined
      ? []
      : [
          `ready=${overview.ready};;;0`,
          `oldest_ready=${overview.oldestReadyAtEpochMs === null ? 0 : Math.max(0, Math.round((takenAtEpochMs - overview.oldestReadyAtEpochMs) / 1_000))}s;;;0`,
          `processing=${overview.counts.processing};;;0`,
          `dead_letters=${overview.unreviewedDeadLetters};;;0`,
        ]),
    ...(feed === undefined
      ? []
      : [`alerts=${feed.alerts.filter(({ acknowledged }) => acknowledged === null).length};;;0`]),
    ...(report === null ? [] : [`healthy_providers=${report.healthyProviders};;;0;${report.totalProviders}`]),
  ];
}
