/** Everything about one run or one action, over the whole view. Pure. */

import type { AuditEntry } from '../../../domain/audit.ts';
import { targetWords } from '../../../domain/audit.ts';
import { formatLatency, plural } from '../../../domain/format.ts';
import type { RunRecord } from '../../../domain/run.ts';
import { runWords } from '../../../domain/run-words.ts';
import { outside } from '../../../domain/state-words.ts';
import { inside, type Rect } from '../../layout.ts';
import { BLANK, cut, type Line, line, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import type { State } from '../../state.ts';
import { addressed } from '../../words.ts';
import { type Fact, factLines } from './facts.ts';
import { didWords, logRows, outcomeWords, workerWords } from './run-cells.ts';
import { type ActionRow, logOfRun, type RunRow } from './run-rows.ts';
import { missedWords, stampWords } from './schedule-words.ts';

/** One run or one action, whole. */
export function runDetailPanel(
  state: State,
  rect: Rect,
  { row, scroll }: { readonly row: RunRow | ActionRow; readonly scroll: number },
): Panel {
  const room = inside(rect);
  const lines = runDetailLines(state, row, room.width);
  const first = Math.max(0, Math.min(scroll, lines.length - room.height));
  const below = Math.max(0, lines.length - first - room.height);
  return {
    id: 'run-detail',
    rect,
    frame: {
      title: line(
        seg('entry' in row ? 'Action' : 'Run', 'strong'),
        seg(first === 0 ? '' : ` · ${plural(first, 'line')} above`, 'muted'),
        seg(below === 0 ? '' : ` · ${plural(below, 'line')} below, PgDn`, 'muted'),
      ),
      role: 'muted',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

export function runDetailLines(state: State, row: RunRow | ActionRow, width: number): Line[] {
  if ('entry' in row) return factLines(actionFacts(state, row.entry), width);
  const logged = logOfRun(state, row).flatMap((each) => logRows(state, each, width));
  return [
    ...factLines(runFacts(state, row), width),
    ...(row.kind === 'live' || row.kind === 'ended'
      ? [BLANK, ...(logged.length === 0 ? [line(seg(NO_LOG, 'muted'))] : logged)]
      : []),
  ];
}

const NO_LOG = 'This console has no log lines of it: they are where it ran.';

function runFacts(state: State, row: RunRow): readonly Fact[] {
  const { text, role } = outcomeWords(row);
  const outcome: Fact = { label: 'outcome', value: text, role };
  const worker: Fact = { label: 'worker', value: workerWords(row) };
  switch (row.kind) {
    case 'ended':
      return [worker, outcome, ...endedFacts(state, row.run)];
    case 'live':
      return [
        worker,
        outcome,
        { label: 'progress', value: didWords(row, state).text, role: 'accent' },
        { label: 'began', value: stampWords(row.live.startedAtEpochMs) },
        { label: 'asked by', value: row.live.trigger },
        { label: 'runs', value: 'here, in this console' },
      ];
    case 'elsewhere':
      return [
        worker,
        outcome,
        { label: 'runs', value: row.holder },
        { label: 'so far', value: row.text, role: 'accent' },
        { label: 'record', value: 'comes when it ends; legacy workers leave none', role: 'muted' },
      ];
    case 'missed':
      return [
        { label: 'schedule', value: outside(row.missed.scheduleId, 80) },
        { label: 'calls', value: row.missed.workers.join(', ') },
        { label: 'what', value: missedWords(row.missed), role: 'warning' },
        {
          label: 'look at',
          value: 'Schedules (5): what QStash delivered, paused schedules, dead letters; then the log of the endpoint',
        },
      ];
    default:
      return row satisfies never;
  }
}

function endedFacts({ isMasked }: State, run: RunRecord): readonly Fact[] {
  return [
    { label: 'error', value: run.error === null ? '' : addressed(run.error, isMasked, 2_000), role: 'critical' },
    { label: 'did', value: outside(runWords(run.worker, run), 200) },
    { label: 'began', value: stampWords(run.startedAtEpochMs) },
    { label: 'ended', value: stampWords(run.startedAtEpochMs + run.durationMs) },
    { label: 'took', value: formatLatency(run.durationMs) },
    { label: 'asked by', value: outside(run.trigger, 80) },
    { label: 'host', value: outside(run.host, 120) },
    { label: 'id', value: outside(run.id, 120), role: 'muted' },
  ];
}

function actionFacts({ isMasked }: State, entry: AuditEntry): readonly Fact[] {
  return [
    { label: 'who', value: outside(`${entry.by}@${entry.host}`, 160) },
    { label: 'did', value: outside(entry.action, 80), role: 'accent' },
    { label: 'to', value: addressed(targetWords(entry), isMasked, 4_000) },
    {
      label: 'outcome',
      value: addressed(entry.outcome, isMasked, 2_000),
      role: entry.outcome === 'ok' ? 'ok' : 'warning',
    },
    { label: 'when', value: stampWords(entry.atEpochMs) },
  ];
}
