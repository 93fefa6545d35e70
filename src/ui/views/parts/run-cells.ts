/** What is said of a run in a cell of the list, and of a line of the log. Pure. */
import { formatAge, formatLatency } from '../../../domain/format.ts';
import { runWords } from '../../../domain/run-words.ts';
import { outside } from '../../../domain/state-words.ts';
import { wrap } from '../../../domain/width.ts';
import { type Line, line, type Role, seg } from '../../line.ts';
import { safeText } from '../../safe-text.ts';
import type { LogLine, State } from '../../state.ts';
import { addressed } from '../../words.ts';
import type { RunRow } from './run-rows.ts';
import { missedWords, momentWords } from './schedule-words.ts';

const OUTCOME_ROLES: Readonly<Record<string, Role>> = { ok: 'ok', failed: 'critical', aborted: 'warning' };

export function beganWords(row: RunRow, now: number): string {
  switch (row.kind) {
    case 'live':
      return momentWords(row.live.startedAtEpochMs, now);
    case 'elsewhere':
      return 'now';
    case 'missed':
      return momentWords(row.missed.dueAtEpochMs, now);
    case 'ended':
      return momentWords(row.run.startedAtEpochMs, now);
    default:
      return row satisfies never;
  }
}

export function workerWords(row: RunRow): string {
  if (row.kind === 'missed') return row.missed.workers.length > 1 ? 'all' : (row.missed.workers[0] ?? '');
  return row.kind === 'live' ? row.live.worker : row.kind === 'ended' ? outside(row.run.worker, 40) : 'queue-processor';
}

export function outcomeWords(row: RunRow): { text: string; role: Role } {
  if (row.kind === 'missed') return { text: 'missed', role: 'warning' };
  if (row.kind !== 'ended') return { text: '▸ runs', role: 'accent' };
  return { text: outside(row.run.outcome, 20), role: OUTCOME_ROLES[row.run.outcome] ?? 'muted' };
}

export function tookWords(row: RunRow, { nowEpochMs }: State): string {
  if (row.kind === 'ended') return formatLatency(row.run.durationMs);
  return row.kind === 'live' ? formatAge(nowEpochMs - row.live.startedAtEpochMs) : '';
}

export function didWords(row: RunRow, state: State): { text: string; role: Role } {
  switch (row.kind) {
    case 'live':
      return { text: row.live.text === '' ? 'begins' : row.live.text, role: 'accent' };
    case 'elsewhere':
      return { text: row.text, role: 'accent' };
    case 'missed':
      return { text: missedWords(row.missed), role: 'warning' };
    case 'ended':
      return row.run.error === null
        ? { text: outside(runWords(row.run.worker, row.run), 200), role: 'text' }
        : {
            text: addressed(row.run.error, state.isMasked, 300),
            role: row.run.outcome === 'failed' ? 'critical' : 'text',
          };
    default:
      return row satisfies never;
  }
}

export function triggerWords(row: RunRow): string {
  if (row.kind === 'missed') return '';
  return row.kind === 'live' ? row.live.trigger : row.kind === 'ended' ? outside(row.run.trigger, 40) : '';
}

export function hostWords(row: RunRow): string {
  if (row.kind === 'live') return 'here';
  if (row.kind === 'missed') return outside(row.missed.scheduleId, 80);
  return row.kind === 'ended' ? outside(row.run.host, 80) : row.kind === 'elsewhere' ? row.holder : '';
}

/** Whole, wrapped beside its time: how a run went wrong stands at the end of a line. */
export function logRows(state: State, { atEpochMs, text }: LogLine, width: number): Line[] {
  const clock = `${new Date(atEpochMs).toISOString().slice(11, 19)} `;
  const rows = wrap(safeText(addressed(text, state.isMasked, 1_000)), Math.max(10, width - clock.length));
  return rows.map((row, index) => line(seg(index === 0 ? clock : ' '.repeat(clock.length), 'muted'), row));
}
