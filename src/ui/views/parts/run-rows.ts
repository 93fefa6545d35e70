/** What the view *Runs* lists: runs under way and ended, what was due and not seen, operators' actions, and the log. Pure. */
import type { AuditEntry, AuditTrail } from '../../../domain/audit.ts';
import { formatClock, formatCount } from '../../../domain/format.ts';
import { type Fault, lastValue } from '../../../domain/loaded.ts';
import type { MissedRun } from '../../../domain/missed.ts';
import type { RunRecord } from '../../../domain/run.ts';
import { runWords } from '../../../domain/run-words.ts';
import { otherSlotsWords, outside } from '../../../domain/state-words.ts';
import { type LiveRun, type LogLine, type State, shownPicture } from '../../state.ts';
import { fitsFilter } from './run-filter.ts';
import { missedHere } from './runs.ts';
import type { Selection } from './selection.ts';

export const RUN_LISTS = ['runs', 'actions', 'log'] as const;
export type RunList = (typeof RUN_LISTS)[number];

export interface RunsLocal {
  readonly list: RunList;
  readonly selections: Readonly<Record<'runs' | 'actions', Selection>>;
  /** The selected row alone, over the whole view. */
  readonly isOpen: boolean;
  readonly scroll: number;
  /** Lines of the log between what is seen and the newest; 0 follows it. */
  readonly logBack: number;
  readonly filter: string;
  /** Those that the snapshot does not carry as well; empty before they were read. */
  readonly older: readonly RunRecord[];
  readonly isOlderAsked: boolean;
  readonly audit: { readonly value: AuditTrail | null; readonly fault: Fault | null };
  /** When the actions were asked for, epoch ms. */
  readonly auditAskedAtEpochMs: number | null;
}

export type RunRow =
  | { readonly id: string; readonly kind: 'live'; readonly live: LiveRun }
  /** Somebody elsewhere holds the queue's lock: a run of which there is no record yet. */
  | { readonly id: string; readonly kind: 'elsewhere'; readonly holder: string; readonly text: string }
  | { readonly id: string; readonly kind: 'missed'; readonly missed: MissedRun }
  | { readonly id: string; readonly kind: 'ended'; readonly run: RunRecord };

export function runRows(state: State, { older, filter }: Pick<RunsLocal, 'older' | 'filter'>): readonly RunRow[] {
  const rows: readonly RunRow[] = [
    ...state.live.map((live): RunRow => ({ id: `live/${live.worker}`, kind: 'live', live })),
    ...elsewhere(state),
    ...missedHere(state).map((missed): RunRow => ({ id: `missed/${missed.scheduleId}`, kind: 'missed', missed })),
    ...allRuns(state, older).map((run): RunRow => ({ id: `run/${run.id}`, kind: 'ended', run })),
  ];
  return filter === '' ? rows : rows.filter((row) => fitsFilter(findable(row), filter));
}

/** The snapshot's, which are the newest, and the older ones; by their beginnings, newest first. */
export function allRuns(state: State, older: readonly RunRecord[]): readonly RunRecord[] {
  const { runs: part } = shownPicture(state);
  const newest = part === null ? [] : (lastValue(part)?.runs ?? []);
  const known = new Set(newest.map(({ id }) => id));
  const all = [...newest, ...older.filter(({ id }) => !known.has(id))];
  return all.sort((a, b) => b.startedAtEpochMs - a.startedAtEpochMs);
}

function elsewhere(state: State): readonly RunRow[] {
  if (state.live.some(({ worker }) => worker === 'queue-processor')) return [];
  const { lock: lockPart, queue: queuePart } = shownPicture(state);
  const known = lockPart === null ? undefined : lastValue(lockPart);
  if (known?.lock.kind !== 'worker' && known?.lock.kind !== 'unknown-holder') return [];
  const { lock } = known;
  const inFlight = queuePart === null ? 0 : (lastValue(queuePart)?.counts.processing ?? 0);
  const holder = lock.kind === 'worker' ? `${outside(lock.host, 40)}/${lock.pid}` : 'an unknown worker';
  // No countdown: that stands in the banner, and would be sent over the line here once more every second.
  const until = lock.expiresAtEpochMs === null ? 'without end' : `until ${formatClock(lock.expiresAtEpochMs)}`;
  const text = [
    ...(inFlight > 0 ? [`${formatCount(inFlight)} in processing`] : []),
    `lock ${until}${otherSlotsWords(known)}`,
  ].join(', ');
  return [{ id: 'elsewhere', kind: 'elsewhere', holder, text }];
}

function findable(row: RunRow) {
  switch (row.kind) {
    case 'live':
      return { worker: row.live.worker, outcome: 'running', trigger: row.live.trigger, text: row.live.text };
    case 'elsewhere':
      return { worker: 'queue-processor', outcome: 'running', host: row.holder, text: row.text };
    case 'missed':
      return { worker: row.missed.workers.join(' '), outcome: 'missed', text: row.missed.scheduleId };
    case 'ended': {
      const { worker, outcome, trigger, host, error } = row.run;
      return { worker, outcome, trigger, host, text: `${runWords(worker, row.run)} ${error ?? ''}` };
    }
    default:
      return row satisfies never;
  }
}

export interface ActionRow {
  readonly id: string;
  readonly entry: AuditEntry;
}

export function actionRows({ audit, filter }: Pick<RunsLocal, 'audit' | 'filter'>): readonly ActionRow[] {
  const seen = new Map<string, number>();
  return (audit.value?.entries ?? [])
    .map((entry) => {
      // Two entries may be alike to the millisecond: they are told apart by their order.
      const key = `${entry.atEpochMs}/${entry.by}/${entry.action}/${entry.target}`;
      const nth = seen.get(key) ?? 0;
      seen.set(key, nth + 1);
      return { id: `action/${key}/${nth}`, entry };
    })
    .filter(({ entry }) => {
      const { by, host, action, target, outcome } = entry;
      return fitsFilter({ by, host, action, outcome, text: target }, filter);
    });
}

export function logLines(state: State, filter: string): readonly LogLine[] {
  if (filter === '') return state.log;
  return state.log.filter(({ source, text }) => fitsFilter({ worker: source, text }, filter));
}

const AROUND_MS = 1_500;

/** What this console logged of a run: lines of its worker from its beginning to its end. */
export function logOfRun(state: State, row: RunRow): readonly LogLine[] {
  if (row.kind === 'elsewhere' || row.kind === 'missed') return [];
  const worker = row.kind === 'live' ? row.live.worker : row.run.worker;
  const from = row.kind === 'live' ? row.live.startedAtEpochMs : row.run.startedAtEpochMs;
  const to = row.kind === 'live' ? Number.POSITIVE_INFINITY : from + row.run.durationMs;
  return state.log.filter(
    ({ source, atEpochMs }) => source === worker && atEpochMs >= from - AROUND_MS && atEpochMs <= to + AROUND_MS,
  );
}
