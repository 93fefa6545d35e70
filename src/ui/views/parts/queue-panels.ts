/** The list of the queue and the groups of its errors as panels. Pure. */
import type { QueueStatus } from '../../../domain/email.ts';
import { formatAge, formatCount, plural } from '../../../domain/format.ts';
import { type Fault, lastValue } from '../../../domain/loaded.ts';
import type { ErrorGroup, ListedStatus, QueueItem } from '../../../domain/queue-page.ts';
import { outside } from '../../../domain/state-words.ts';
import { wrap } from '../../../domain/width.ts';
import { inside, type Rect } from '../../layout.ts';
import { cut, dimmed, type Line, line, type Role, seg, widthOf } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { faultWord } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import { addressed } from '../../words.ts';
import { statusRole } from './email-details.ts';
import type { QueueLocal } from './queue-local.ts';
import { windowOf } from './window.ts';

/** Border, tabs, filter and heading. */
const AROUND = 5;

/** How many rows are seen at once. */
export function rowsSeen(rect: Rect): number {
  return Math.max(1, rect.height - AROUND);
}

/** Which of the rows stands at a row of the screen; null where none does. */
export function rowOfScreen(
  rect: Rect,
  y: number,
  { count, selected }: { readonly count: number; readonly selected: number },
): number | null {
  const { first, end } = windowOf(count, selected, rowsSeen(rect));
  const index = first + y - rect.y - (AROUND - 1);
  return index >= first && index < end ? index : null;
}

export function queueListPanel(state: State, rect: Rect, local: QueueLocal): Panel {
  const { list, marked } = local;
  const seen = windowOf(list.items.length, list.selected, rowsSeen(rect));
  const rows = list.items.slice(seen.first, seen.end);
  const { width } = inside(rect);
  const columns = columnsFor(state, local, width);
  const table = tableLines({ columns, rows, width, selected: list.selected - seen.first });
  const total = totalOf(state, local);
  const range = rows.length === 0 ? '' : `${rangeWords(local, seen, total)} · `;
  const marks = marked.size === 0 ? [] : [seg(` · ${formatCount(marked.size)} selected`, 'accent')];
  const unread = list.skipped === 0 ? [] : [seg(` · ${plural(list.skipped, 'row')} unreadable`, 'warning')];
  const more = line(seg(`${range}${SORT_WORDS[local.sort]}`, 'muted'), ...marks, ...unread);
  const body = list.items.length === 0 ? emptyLines(state, local, width) : table;
  return framed(state, rect, local, { more, body, fault: list.fault, loadedAtEpochMs: list.loadedAtEpochMs });
}

export function groupsPanel(state: State, rect: Rect, local: QueueLocal): Panel {
  const { groups, fault, selected, loadedAtEpochMs } = local.groups;
  const all = groups?.groups ?? [];
  const seen = windowOf(all.length, selected, rowsSeen(rect));
  const rows = all.slice(seen.first, seen.end);
  const columns = groupColumns(shownNow(state));
  const table = tableLines({ columns, rows, width: inside(rect).width, selected: selected - seen.first });
  const told = groups === null ? '' : ` · ${plural(groups.emails, 'email')} in ${plural(all.length, 'group')}`;
  const more = line(seg(`by error${told}${groups?.hasMore === true ? ', the largest' : ''}`, 'muted'));
  const words = loadedAtEpochMs === null ? 'loading…' : 'nothing has failed here';
  const empty = fault !== null && groups === null ? faultLines(fault, inside(rect).width) : [line(seg(words, 'muted'))];
  const body = all.length === 0 ? empty : [...table, ...wholeError(all[selected], inside(rect), rows.length)];
  return framed(state, rect, local, { more, body, fault, loadedAtEpochMs });
}

/** The selected error in full, where there is room below the groups. */
function wholeError(group: ErrorGroup | undefined, room: Rect, rows: number): Line[] {
  if (group === undefined) return [];
  const text = wrap(kindWords(group), Math.max(8, room.width - 1)).map((each) => line(seg(` ${each}`, 'strong')));
  return rows + AROUND + text.length <= room.height ? [[], ...text] : [];
}

interface Framed {
  readonly more: Line;
  readonly body: readonly Line[];
  readonly fault: Fault | null;
  readonly loadedAtEpochMs: number | null;
}

/** Old rows are dimmed, and the title says how old and why. */
function framed(state: State, rect: Rect, local: QueueLocal, { more, body, fault, loadedAtEpochMs }: Framed): Panel {
  const { width } = inside(rect);
  const isStale = fault !== null && loadedAtEpochMs !== null;
  const age = isStale ? `stale ${formatAge(shownNow(state) - loadedAtEpochMs)}: ` : 'failed: ';
  const title = line(
    seg('Emails', 'strong'),
    seg(' · ', 'muted'),
    ...(fault === null ? more : [seg(`${age}${faultWord(fault)}`, 'warning')]),
  );
  const role: Role = fault === null ? 'muted' : 'warning';
  const shown = isStale ? body.map(dimmed) : body;
  return {
    id: 'queue-list',
    rect,
    frame: { title, role },
    lines: [tabLine(state, local, width), filterLine(state, local, width), ...shown],
  };
}

export const TABS: readonly (ListedStatus | null)[] = [null, 'queued', 'processing', 'failed', 'completed', 'dead'];

/** The states with their numbers; the one that is listed stands out. */
function tabLine(state: State, { terms }: QueueLocal, width: number): Line {
  const tabs = (count: (value: number) => string) =>
    TABS.flatMap((status) => {
      const number = countOf(state, status);
      const text = ` ${status ?? 'all'}${number === null ? '' : ` ${count(number)}`} `;
      const isBad = (status === 'failed' || status === 'dead') && (number ?? 0) > 0;
      return [seg(text, (terms.status ?? null) === status ? 'selected' : isBad ? 'warning' : 'text')];
    });
  const whole = tabs(formatCount);
  return widthOf(whole) <= width ? whole : cut(tabs(shortCount), width);
}

/** `123k` from ten thousand on: for where there is little room. */
function shortCount(count: number): string {
  return count < 10_000 ? String(count) : `${formatCount(Math.floor(count / 1_000))}k`;
}

function countOf(state: State, status: ListedStatus | null): number | null {
  const { queue } = shownPicture(state);
  const known = queue === null ? undefined : lastValue(queue);
  if (known === undefined) return null;
  if (status === 'dead') return known.unreviewedDeadLetters;
  if (status === null) return Object.values(known.counts).reduce((sum, count) => sum + count, 0);
  return known.counts[status];
}

/** How many rows the list has, where that is known without counting. */
function totalOf(state: State, { terms, group }: QueueLocal): number | null {
  if (group !== null) return null;
  const isWhole = terms.emailType === undefined && terms.provider === undefined && terms.words === undefined;
  return isWhole ? countOf(state, terms.status ?? null) : null;
}

function filterLine(state: State, local: QueueLocal, width: number): Line {
  const { dialog } = state;
  const isTyping = dialog?.kind === 'prompt' && dialog.id === 'filter';
  const problem = local.problem === null ? [] : [seg(`  ${local.problem}`, 'warning')];
  const group = local.group;
  const chip = group === null ? [] : [seg(' failed with ', 'muted'), seg(`"${kindWords(group)}"`, 'accent'), seg(' ')];
  if (isTyping) return cut(line(seg('/', 'key'), ...chip, local.filterText, seg(' ', 'selected'), ...problem), width);
  if (local.filterText === '' && group === null) {
    const help = `filter: words, type:auth, provider:brevo${width < 100 ? '' : '; Left and Right change the state'}`;
    return cut(line(seg('/', 'key'), seg(` ${help}`, 'muted')), width);
  }
  return cut(
    line(seg('/', 'key'), ...chip, seg(local.filterText, 'accent'), ...problem, seg('  Esc: all', 'muted')),
    width,
  );
}

const SORT_WORDS = { oldest: 'oldest first', newest: 'newest first', changed: 'last changed first' } as const;

function rangeWords({ list }: QueueLocal, seen: { first: number; end: number }, total: number | null): string {
  const isEnd = !list.hasAfter && seen.end >= list.items.length;
  if (list.firstNumber === null) {
    if (isEnd) return total === null ? 'the end' : `the end of ${formatCount(total)}`;
    return total === null ? 'near the end' : `near the end of ${formatCount(total)}`;
  }
  const first = list.firstNumber + seen.first + 1;
  const last = list.firstNumber + seen.end;
  const whole = isEnd ? formatCount(last) : total === null ? 'more' : formatCount(Math.max(total, last));
  return `${formatCount(first)}–${formatCount(last)} of ${whole}`;
}

function emptyLines(state: State, local: QueueLocal, width: number): readonly Line[] {
  const { list, terms, filterText, group } = local;
  if (list.fault !== null && list.loadedAtEpochMs === null) return faultLines(list.fault, width);
  if (list.loadedAtEpochMs === null)
    return [line(seg(state.connection.kind === 'open' ? 'loading…' : 'connecting…', 'muted'))];
  if (list.asked !== null) return [line(seg('searching…', 'muted'))];
  const isPlain = filterText === '' && group === null;
  const words = isPlain
    ? 'the queue is empty'
    : terms.status === 'dead'
      ? 'no dead letter waits to be looked at'
      : 'no email matches';
  return [line(seg(words, 'muted'))];
}

function faultLines({ message, remedy }: Fault, width: number): readonly Line[] {
  return [
    ...wrap(outside(message, 400), Math.max(8, width)).map((text) => line(seg(text, 'critical'))),
    ...wrap(outside(remedy ?? '', 400), Math.max(8, width)).map((text) => line(text)),
  ];
}

/** With room, subject and error stand beside each other. */
const BOTH_FROM = 150;

function columnsFor(state: State, { marked, terms }: QueueLocal, width: number): readonly TableColumn<QueueItem>[] {
  const nowEpochMs = shownNow(state);
  const isDead = terms.status === 'dead';
  const mark = (item: QueueItem) => (marked.has(item.id) ? '●' : ' ');
  return [
    { title: '', width: 1, cell: mark, role: () => 'accent' },
    { title: 'id', width: 8, cell: ({ id }) => outside(id.slice(0, 8), 8), role: () => 'muted' },
    ...(isDead ? [] : [statusColumn(nowEpochMs)]),
    {
      title: isDead ? 'died' : 'age',
      width: 9,
      align: 'right',
      cell: (item) => shortAge(nowEpochMs - (item.kind === 'dead' ? item.movedAtEpochMs : item.createdAtEpochMs)),
    },
    { title: 'tries', width: 5, align: 'right', cell: triesOf },
    { title: 'type', width: 15, from: 100, cell: ({ emailType }) => outside(emailType, 20) },
    ...(isDead ? [providersColumn] : []),
    {
      title: 'recipient',
      width: 14,
      grow: 2,
      cell: ({ recipientEmail }) => addressed(recipientEmail, state.isMasked, 100),
    },
    ...(width < BOTH_FROM ? [reasonColumn(state)] : [subjectColumn(state), errorColumn(state)]),
    {
      title: 'changed',
      width: 9,
      from: 170,
      align: 'right',
      cell: (item) => (item.kind === 'dead' ? '' : shortAge(nowEpochMs - item.updatedAtEpochMs)),
    },
  ];
}

function reasonColumn({ isMasked }: State): TableColumn<QueueItem> {
  return {
    title: 'error, or subject',
    width: 16,
    grow: 5,
    cell: (item) => addressed(errorOf(item) || item.subject || '', isMasked),
    role: (item) => (item.lastError === null && item.kind === 'email' ? 'text' : 'warning'),
  };
}

function subjectColumn({ isMasked }: State): TableColumn<QueueItem> {
  return { title: 'subject', width: 24, grow: 3, cell: ({ subject }) => addressed(subject ?? '', isMasked) };
}

function errorColumn({ isMasked }: State): TableColumn<QueueItem> {
  return {
    title: 'error',
    width: 16,
    grow: 5,
    cell: (item) => addressed(errorOf(item), isMasked),
    role: () => 'warning',
  };
}

const providersColumn: TableColumn<QueueItem> = {
  title: 'tried by',
  width: 12,
  cell: (item) => (item.kind === 'dead' ? outside(item.failedProviders.join(' '), 60) : ''),
};

function statusColumn(nowEpochMs: number): TableColumn<QueueItem> {
  return {
    title: 'state',
    width: 12,
    cell: (item) => (item.kind === 'email' ? stateWords(item, nowEpochMs) : 'dead'),
    role: (item) => (item.kind === 'email' && item.isDiscarded ? 'muted' : statusRole({ status: statusOf(item) })),
  };
}

function stateWords(item: Extract<QueueItem, { kind: 'email' }>, nowEpochMs: number): string {
  const due = item.nextRetryAtEpochMs === null ? 0 : item.nextRetryAtEpochMs - nowEpochMs;
  if (item.isDiscarded) return 'discarded';
  return item.status === 'queued' && due > 0 ? `in ${shortAge(due)}` : item.status;
}

function statusOf(item: QueueItem): QueueStatus | 'dead' {
  return item.kind === 'dead' ? 'dead' : item.status;
}

/** One unit where two do not fit. */
function shortAge(ms: number): string {
  const whole = formatAge(ms);
  return whole.length <= 9 ? whole : whole.split(' ').slice(0, 2).join(' ');
}

function triesOf(item: QueueItem): string {
  return item.kind === 'dead' ? String(item.totalAttempts) : `${item.attempts}/${item.maxAttempts}`;
}

/** Why it is not sent; empty where nothing has failed. */
function errorOf(item: QueueItem): string {
  return item.lastError || (item.kind === 'dead' ? item.failureReason : '') || '';
}

function groupColumns(nowEpochMs: number): readonly TableColumn<ErrorGroup>[] {
  return [
    { title: 'emails', width: 8, align: 'right', cell: ({ count }) => formatCount(count), role: () => 'strong' },
    { title: 'state', width: 10, cell: ({ status }) => status, role: statusRole },
    { title: 'error', width: 20, grow: 1, cell: kindWords, role: () => 'warning' },
    { title: 'types', width: 20, from: 140, cell: ({ emailTypes }) => outside(emailTypes.join(' '), 100) },
    { title: 'first', width: 9, align: 'right', cell: (group) => shortAge(nowEpochMs - group.oldestAtEpochMs) },
    { title: 'last', width: 9, align: 'right', cell: (group) => shortAge(nowEpochMs - group.newestAtEpochMs) },
  ];
}

export function kindWords({ errorKind }: { readonly errorKind: string }): string {
  return errorKind === '' ? 'no error was recorded' : outside(errorKind, 200);
}
