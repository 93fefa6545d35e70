/** The panels of the view *Alerts*: reasons, feed, and what is selected with what to check first. Pure. */
import type { AlertFeed } from '../../../domain/alert.ts';
import { formatAge, formatCount, formatInstant, plural } from '../../../domain/format.ts';
import { outside } from '../../../domain/state-words.ts';
import { MINUTE_MS } from '../../../domain/time.ts';
import { levelWord } from '../../../domain/verdict-words.ts';
import { wrap } from '../../../domain/width.ts';
import { inside, type Rect } from '../../layout.ts';
import { BLANK, cut, fill, type Line, line, type Role, seg, textOf } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { addressed } from '../../words.ts';
import type { AlertRow } from './alert-rows.ts';
import { alertLine, countLine } from './alerts.ts';
import { textLines } from './facts.ts';
import { runbookLines } from './runbook.ts';
import { windowOf } from './window.ts';

/** Why the verdict is what it is. `selected` counts among these rows; -1 where the selection is elsewhere. */
export function reasonsPanel(state: State, rect: Rect, rows: readonly AlertRow[], selected: number): Panel {
  const room = inside(rect);
  const level = state.verdict?.level ?? 'ok';
  const role: Role = level === 'ok' ? 'muted' : level === 'warning' ? 'warning' : 'critical';
  const { first, end } = windowOf(rows.length, Math.max(0, selected), room.height);
  const hidden = rows.length - (end - first);
  return {
    id: 'alert-reasons',
    rect,
    frame: {
      title: line(
        seg('Now', 'strong'),
        seg(' · ', 'muted'),
        seg(levelWord(level), role),
        // The alerts are a reason themselves, and stand below.
        seg(rows.some((row) => row.kind === 'reason' && row.reason.level === level) ? '' : ' by open alerts', role),
        seg(hidden === 0 ? '' : `, ${formatCount(hidden)} more`, 'muted'),
      ),
      role: 'muted',
    },
    lines: rows.slice(first, end).map((row, index) => marked(reasonLine(row), first + index === selected, room.width)),
  };
}

function reasonLine(row: AlertRow): Line {
  if (row.kind !== 'reason') return BLANK;
  const isWarning = row.reason.level === 'warning';
  return line(seg(isWarning ? '! ' : '✗ ', isWarning ? 'warning' : 'critical'), row.reason.text);
}

/** The feed. `selected` counts among its rows; -1 where the selection is elsewhere. */
export function feedPanel(state: State, rect: Rect, rows: readonly AlertRow[], selected: number): Panel {
  const nowEpochMs = shownNow(state);
  const frame = { id: 'alert-feed', rect, title: 'Alerts', part: shownPicture(state).alerts, nowEpochMs };
  return partPanel<AlertFeed>(frame, ({ skipped }, room) => {
    const { first, end } = windowOf(rows.length, Math.max(0, selected), room.height);
    const alerts = rows.flatMap((row) => (row.kind === 'alert' ? [row.alert] : []));
    const open = alerts.filter(({ acknowledged }) => acknowledged === null);
    const unseen = open.filter(({ fingerprint }) => state.alertsUnseen.has(fingerprint)).length;
    const lines = alerts
      .slice(first, end)
      .map((alert, index) =>
        marked(alertLine(alert, state, room.width - MARK, nowEpochMs), first + index === selected, room.width),
      );
    const rest = [
      ...(first > 0 ? [`${formatCount(first)} above`] : []),
      ...(end < rows.length ? [`${formatCount(rows.length - end)} below`] : []),
      ...(skipped > 0 ? [`${formatCount(skipped)} unreadable`] : []),
    ];
    return {
      lines: lines.length === 0 ? noneLines(state, room.width) : lines,
      more: [...countLine(open.length, unseen, 0), seg(rest.length === 0 ? '' : `, ${rest.join(', ')}`, 'muted')],
      role: open.length === 0 ? 'muted' : 'critical',
    };
  });
}

function noneLines({ environment }: State, width: number): Line[] {
  const where = environment === null ? '' : ` in ${environment.name}`;
  const text = `No alert${where}. Critical alerts of the health monitor and the email function come here.`;
  return textLines(text, width, 'muted');
}

const MARK = 2;

function marked(content: Line, isSelected: boolean, width: number): Line {
  const whole = fill([seg(isSelected ? '▸ ' : '  ', 'accent'), ...content], width);
  // One look for the whole line, so that it reads as one in every theme.
  return isSelected ? [seg(textOf(whole), 'selected')] : whole;
}

/** What is selected, whole. `scroll` is the first line that is seen; what is beyond the end counts as the end. */
export function alertDetailPanel(state: State, rect: Rect, row: AlertRow | undefined, scroll: number): Panel {
  const room = inside(rect);
  const lines = row === undefined ? [] : detailLines(state, row, room.width);
  const first = Math.max(0, Math.min(scroll, lines.length - room.height));
  const below = Math.max(0, lines.length - first - room.height);
  return {
    id: 'alert-detail',
    rect,
    frame: {
      title: line(
        seg(row === undefined ? 'Nothing selected' : TITLES[row.kind], 'strong'),
        seg(first === 0 ? '' : ` · ${plural(first, 'line')} above`, 'muted'),
        seg(below === 0 ? '' : ` · ${plural(below, 'line')} below, PgDn`, 'muted'),
      ),
      role: 'muted',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

/** The furthest that the details can be scrolled. */
export function lastScroll(state: State, rect: Rect, row: AlertRow | undefined): number {
  const room = inside(rect);
  return row === undefined ? 0 : Math.max(0, detailLines(state, row, room.width).length - room.height);
}

const TITLES: Readonly<Record<AlertRow['kind'], string>> = { reason: 'Reason', alert: 'Alert' };

function detailLines(state: State, row: AlertRow, width: number): Line[] {
  const about = row.kind === 'alert' ? aboutAlert(state, row.alert, width) : aboutReason(row.reason, width);
  return [...about, BLANK, ...runbookLines(row.entry, width)];
}

function aboutReason(reason: Extract<AlertRow, { kind: 'reason' }>['reason'], width: number): Line[] {
  const role: Role = reason.level === 'warning' ? 'warning' : 'critical';
  return [
    ...wrap(reason.text, width).map((text) => line(seg(text, role))),
    ...(reason.action === undefined ? [] : wrap(`→ ${reason.action}`, width).map((text) => line(text))),
    line(seg('holds now; goes away by itself when it is over', 'muted')),
  ];
}

function aboutAlert(state: State, alert: Extract<AlertRow, { kind: 'alert' }>['alert'], width: number): Line[] {
  const now = shownNow(state);
  const role: Role = alert.acknowledged !== null ? 'muted' : alert.severity === 'notice' ? 'text' : 'critical';
  const text = `${alert.severity.toUpperCase()}: ${addressed(alert.text, state.isMasked, 1_000)}`;
  const when =
    alert.atEpochMs === null
      ? 'time not known: a legacy monitor wrote it'
      : `${agoWords(now - alert.atEpochMs)}, ${formatInstant(alert.atEpochMs)}`;
  return [
    ...wrap(text, width).map((each) => line(seg(each, role))),
    ...wrap(`${when}${alert.repeats > 1 ? `; ${plural(alert.repeats, 'time')} in the list` : ''}`, width).map((each) =>
      line(seg(each, 'muted')),
    ),
    acknowledgedLine(alert.acknowledged, now),
  ];
}

function acknowledgedLine(by: { readonly by: string; readonly atEpochMs: number | null } | null, now: number): Line {
  if (by === null) return line(seg('not acknowledged', 'warning'));
  const when = by.atEpochMs === null ? '' : `, ${agoWords(now - by.atEpochMs)}`;
  return line(seg('✓ ', 'ok'), `acknowledged by ${outside(by.by, 60)}${when}`);
}

/** Minutes at the least: seconds that run would only draw the eye. */
function agoWords(ms: number): string {
  return ms < MINUTE_MS ? 'just now' : `${formatAge(ms)} ago`;
}
