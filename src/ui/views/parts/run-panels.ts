/** The panels of the view *Runs*: runs, operators' actions, the log, and everything about one of them. Pure. */
import type { AuditEntry } from '../../../domain/audit.ts';
import { formatAge, formatCount, formatLatency, plural } from '../../../domain/format.ts';
import type { RunFeed, RunRecord } from '../../../domain/run.ts';
import { runWords } from '../../../domain/run-words.ts';
import { inside, type Rect } from '../../layout.ts';
import { BLANK, cut, type Line, line, type Role, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { faultWord, partPanel } from '../../part.ts';
import { type LogLine, type State, shownNow, shownPicture } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import { addressed, outside } from '../../words.ts';
import { type Fact, factLines, textLines } from './facts.ts';
import {
  type ActionRow,
  actionRows,
  allRuns,
  logLines,
  logOfRun,
  RUN_LISTS,
  type RunRow,
  type RunsLocal,
  targetWords,
} from './run-rows.ts';
import { missedWords, momentWords, stampWords } from './schedule-words.ts';
import { windowOf } from './window.ts';

/** What the lists share: which there are, which is shown, and the filter. */
function listTitle(state: State, local: RunsLocal): string {
  const titles = { runs: 'Runs', actions: 'Actions', log: 'Log' } as const;
  const others = RUN_LISTS.filter((list) => list !== local.list).map((list) => titles[list].toLowerCase());
  return state.size.columns < 100 ? titles[local.list] : `${titles[local.list]} (n: ${others.join(', ')})`;
}

/** While it is typed it stands right after the title: the counts can wait. */
function titleMore(state: State, { filter }: RunsLocal, more: Line): Line {
  const { dialog } = state;
  const isTyped = dialog?.kind === 'prompt' && dialog.view === 'runs';
  if (!isTyped) return [...more, seg(filter === '' ? '' : ` · only ${outside(filter, 60)}`, 'accent')];
  return line(
    seg('show: ', 'accent'),
    seg(filter),
    seg(' ', 'selected'),
    seg(' worker: outcome: trigger: host: by: or words', 'muted'),
  );
}

export function runListPanel(
  state: State,
  rect: Rect,
  { rows, selected, local }: { readonly rows: readonly RunRow[]; readonly selected: number; readonly local: RunsLocal },
): Panel {
  const nowEpochMs = shownNow(state);
  const frame = { id: 'run-list', rect, title: listTitle(state, local), part: shownPicture(state).runs, nowEpochMs };
  return partPanel<RunFeed>(frame, ({ skipped }, room) => {
    const { first, end } = windowOf(rows.length, selected, room.height - 1);
    const all = allRuns(state, local.older);
    const failed = all.filter(({ outcome }) => outcome === 'failed').length;
    const missed = rows.filter(({ kind }) => kind === 'missed').length;
    return {
      lines:
        rows.length === 0
          ? [
              line(
                seg(
                  local.filter === '' ? 'No run is recorded yet.' : 'No run fits the filter. Esc takes it back.',
                  'muted',
                ),
              ),
            ]
          : tableLines({
              columns: runColumns(state),
              rows: rows.slice(first, end),
              width: room.width,
              selected: selected - first,
            }),
      more: titleMore(state, local, [
        seg(
          local.filter === ''
            ? plural(all.length, 'run')
            : `${formatCount(rows.length)} of ${plural(all.length, 'run')}`,
          'muted',
        ),
        seg(failed === 0 ? '' : `, ${formatCount(failed)} failed`, 'critical'),
        seg(missed === 0 ? '' : `, ${formatCount(missed)} due, not seen`, 'warning'),
        seg(skipped > 0 ? `, ${formatCount(skipped)} unreadable` : '', 'muted'),
      ]),
      role: missed > 0 ? 'warning' : 'muted',
    };
  });
}

const OUTCOME_ROLES: Readonly<Record<string, Role>> = { ok: 'ok', failed: 'critical', aborted: 'warning' };

function runColumns(state: State): readonly TableColumn<RunRow>[] {
  const now = shownNow(state);
  const did = (row: RunRow) => didWords(row, state);
  return [
    { title: 'began', width: 11, cell: (row) => beganWords(row, now), role: () => 'muted' },
    { title: 'worker', width: 15, cell: workerWords },
    { title: 'outcome', width: 7, cell: (row) => outcomeWords(row).text, role: (row) => outcomeWords(row).role },
    { title: 'took', width: 7, align: 'right', cell: (row) => tookWords(row, state) },
    { title: 'what it did', width: 24, grow: 3, cell: (row) => did(row).text, role: (row) => did(row).role },
    { title: 'asked by', width: 10, from: 90, cell: triggerWords, role: () => 'muted' },
    { title: 'host', width: 12, grow: 1, from: 100, cell: hostWords, role: () => 'muted' },
  ];
}

function beganWords(row: RunRow, now: number): string {
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

function workerWords(row: RunRow): string {
  if (row.kind === 'missed') return row.missed.workers.length > 1 ? 'all' : (row.missed.workers[0] ?? '');
  return row.kind === 'live' ? row.live.worker : row.kind === 'ended' ? outside(row.run.worker, 40) : 'queue-processor';
}

function outcomeWords(row: RunRow): { text: string; role: Role } {
  if (row.kind === 'missed') return { text: 'missed', role: 'warning' };
  if (row.kind !== 'ended') return { text: '▸ runs', role: 'accent' };
  return { text: outside(row.run.outcome, 20), role: OUTCOME_ROLES[row.run.outcome] ?? 'muted' };
}

function tookWords(row: RunRow, { nowEpochMs }: State): string {
  if (row.kind === 'ended') return formatLatency(row.run.durationMs);
  return row.kind === 'live' ? formatAge(nowEpochMs - row.live.startedAtEpochMs) : '';
}

function didWords(row: RunRow, state: State): { text: string; role: Role } {
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

function triggerWords(row: RunRow): string {
  if (row.kind === 'missed') return '';
  return row.kind === 'live' ? row.live.trigger : row.kind === 'ended' ? outside(row.run.trigger, 40) : '';
}

function hostWords(row: RunRow): string {
  if (row.kind === 'live') return 'here';
  if (row.kind === 'missed') return outside(row.missed.scheduleId, 80);
  return row.kind === 'ended' ? outside(row.run.host, 80) : row.kind === 'elsewhere' ? row.holder : '';
}

export function actionListPanel(
  state: State,
  rect: Rect,
  { selected, local }: { readonly selected: number; readonly local: RunsLocal },
): Panel {
  const room = inside(rect);
  const { audit } = local;
  const rows = actionRows(local);
  const { first, end } = windowOf(rows.length, selected, room.height - 1);
  const total = audit.value?.entries.length ?? 0;
  const stale = audit.value !== null && audit.fault !== null ? ` · not refreshed: ${faultWord(audit.fault)}` : '';
  return {
    id: 'action-list',
    rect,
    frame: {
      title: [
        seg(listTitle(state, local), 'strong'),
        seg(' · ', 'muted'),
        ...titleMore(state, local, [
          seg(total === 0 ? 'what operators did' : `what operators did, ${formatCount(total)}`, 'muted'),
          seg(stale, 'warning'),
        ]),
      ],
      role: 'muted',
    },
    lines:
      rows.length === 0
        ? emptyActions(local, room.width)
        : tableLines({
            columns: actionColumns(state),
            rows: rows.slice(first, end),
            width: room.width,
            selected: selected - first,
          }),
  };
}

function emptyActions({ audit, filter }: RunsLocal, width: number): Line[] {
  if (audit.value === null && audit.fault !== null)
    return [
      ...textLines(`not readable (${faultWord(audit.fault)}): ${outside(audit.fault.message, 300)}`, width, 'warning'),
      ...textLines(outside(audit.fault.remedy ?? '', 300), width, 'muted'),
    ];
  const words =
    audit.value === null
      ? 'reading what operators did…'
      : filter === '' || audit.value.entries.length === 0
        ? 'No operator has changed anything yet.'
        : 'No action fits the filter. Esc takes it back.';
  return [line(seg(words, 'muted'))];
}

function actionColumns(state: State): readonly TableColumn<ActionRow>[] {
  const now = shownNow(state);
  const isFine = ({ outcome }: AuditEntry) => outcome === 'ok';
  return [
    { title: 'when', width: 11, cell: ({ entry }) => momentWords(entry.atEpochMs, now), role: () => 'muted' },
    { title: 'who', width: 14, grow: 1, cell: ({ entry }) => outside(`${entry.by}@${entry.host}`, 80) },
    { title: 'did', width: 20, cell: ({ entry }) => outside(entry.action, 60), role: () => 'accent' },
    { title: 'to', width: 18, grow: 3, cell: ({ entry }) => addressed(targetWords(entry), state.isMasked, 300) },
    {
      title: 'outcome',
      width: 10,
      grow: 1,
      cell: ({ entry }) => addressed(entry.outcome, state.isMasked, 200),
      role: ({ entry }) => (isFine(entry) ? 'ok' : 'warning'),
    },
  ];
}

/** The newest lines at the bottom. */
export function logPanel(state: State, rect: Rect, local: RunsLocal): Panel {
  const room = inside(rect);
  const isAlone = local.list === 'log';
  const all = logLines(state, local.filter);
  const back = isAlone ? Math.min(local.logBack, Math.max(0, all.length - room.height)) : 0;
  const shown = all.slice(Math.max(0, all.length - room.height - back), all.length - back);
  const about = [
    seg('of this console', 'muted'),
    seg(back === 0 ? '' : ` · ${plural(back, 'newer line')} below`, 'warning'),
  ];
  const empty =
    state.log.length === 0
      ? 'Nothing yet. Lines of runs and workers of this console come here; other workers log where they run.'
      : 'No line fits the filter.';
  return {
    id: 'run-log',
    rect,
    frame: {
      title: [
        seg(isAlone ? listTitle(state, local) : 'Log', 'strong'),
        seg(' · ', 'muted'),
        ...(isAlone ? titleMore(state, local, about) : about),
      ],
      role: 'muted',
    },
    lines:
      shown.length === 0
        ? textLines(empty, room.width, 'muted')
        : shown.map((each) => logLine(state, each, room.width)),
  };
}

function logLine(state: State, { atEpochMs, text }: LogLine, width: number): Line {
  const clock = new Date(atEpochMs).toISOString().slice(11, 19);
  return cut(line(seg(`${clock} `, 'muted'), addressed(text, state.isMasked, 1_000)), width);
}

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
  const logged = logOfRun(state, row).map((each) => logLine(state, each, width));
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

/** So wide that a line of the log needs no cut in most cases. */
export function logHeight(rect: Rect): number {
  return Math.max(4, Math.floor(rect.height * 0.35));
}
