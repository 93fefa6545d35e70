/** The lists of the view *Runs*: runs, what operators did, and the log of this console. Pure. */

import type { AuditEntry } from '../../../domain/audit.ts';
import { targetWords } from '../../../domain/audit.ts';
import { formatCount, plural } from '../../../domain/format.ts';
import type { RunFeed } from '../../../domain/run.ts';
import { outside } from '../../../domain/state-words.ts';
import { inside, type Rect } from '../../layout.ts';
import { type Line, line, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { faultWord, partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import { addressed } from '../../words.ts';
import { textLines } from './facts.ts';
import {
  beganWords,
  didWords,
  hostWords,
  logRows,
  outcomeWords,
  tookWords,
  triggerWords,
  workerWords,
} from './run-cells.ts';
import { type ActionRow, actionRows, allRuns, logLines, RUN_LISTS, type RunRow, type RunsLocal } from './run-rows.ts';
import { momentWords } from './schedule-words.ts';
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

function runColumns(state: State): readonly TableColumn<RunRow>[] {
  const now = shownNow(state);
  const did = (row: RunRow) => didWords(row, state);
  return [
    { title: 'began', width: 11, cell: (row) => beganWords(row, now), role: () => 'muted' },
    { title: 'worker', width: 15, cell: workerWords },
    { title: 'outcome', width: 7, cell: (row) => outcomeWords(row).text, role: (row) => outcomeWords(row).role },
    { title: 'took', width: 7, from: 62, align: 'right', cell: (row) => tookWords(row, state) },
    { title: 'what it did', width: 24, grow: 3, cell: (row) => did(row).text, role: (row) => did(row).role },
    { title: 'asked by', width: 10, from: 90, cell: triggerWords, role: () => 'muted' },
    { title: 'host', width: 12, grow: 1, from: 100, cell: hostWords, role: () => 'muted' },
  ];
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
  const all = isAlone ? wholeLog(state, local, room.width) : logEnd(state, local, room);
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
    lines: shown.length === 0 ? textLines(empty, room.width, 'muted') : shown,
  };
}

/** Every row of the log, as wide as the list is. */
export function wholeLog(state: State, { filter }: RunsLocal, width: number): Line[] {
  return logLines(state, filter).flatMap((each) => logRows(state, each, width));
}

/** Enough of it to fill the room. */
function logEnd(state: State, { filter }: RunsLocal, { width, height }: Pick<Rect, 'width' | 'height'>): Line[] {
  return logLines(state, filter)
    .slice(-Math.max(1, height))
    .flatMap((each) => logRows(state, each, width));
}

/** A good third is for the log. */
export function logHeight(rect: Rect): number {
  return Math.max(4, Math.floor(rect.height * 0.35));
}
