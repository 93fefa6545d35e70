/** The critical-alert feed as a panel: newest first, with age and repeats; acknowledged ones dimmed, new ones marked. */
import type { Alert, AlertFeed } from '../../../domain/alert.ts';
import { formatAge, formatCount } from '../../../domain/format.ts';
import { MINUTE_MS } from '../../../domain/time.ts';
import type { Rect } from '../../layout.ts';
import { cut, dimmed, type Line, line, type Role, seg, spread } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { addressed } from '../../words.ts';

export function alertsPanel(state: State, rect: Rect): Panel {
  const nowEpochMs = shownNow(state);
  const part = shownPicture(state).alerts;
  return partPanel<AlertFeed>({ id: 'alerts', rect, title: 'Alerts', part, nowEpochMs }, ({ alerts }, room) => {
    const open = alerts.filter(({ acknowledged }) => acknowledged === null);
    const unseen = open.filter(({ fingerprint }) => state.alertsUnseen.has(fingerprint)).length;
    const ordered = [...open, ...alerts.filter(({ acknowledged }) => acknowledged !== null)];
    const lines = ordered.slice(0, room.height).map((alert) => alertLine(alert, state, room.width, nowEpochMs));
    const hidden = ordered.length - lines.length;
    return {
      lines: lines.length === 0 ? [line(seg('none', 'muted'))] : lines,
      more: countLine(open.length, unseen, hidden),
      role: open.length === 0 ? 'muted' : 'critical',
    };
  });
}

/** How many are open, new and out of sight. */
export function countLine(open: number, unseen: number, hidden: number): Line {
  return line(
    seg(open === 0 ? 'none open' : `${formatCount(open)} open`, open === 0 ? 'muted' : 'critical'),
    seg(unseen === 0 ? '' : `, ${formatCount(unseen)} new`, 'critical'),
    seg(hidden === 0 ? '' : `, ${formatCount(hidden)} below`, 'muted'),
  );
}

const ROLE_BY_SEVERITY: Readonly<Record<Alert['severity'], Role>> = {
  critical: 'critical',
  error: 'critical',
  warning: 'warning',
  notice: 'text',
};
const WORD_BY_SEVERITY: Readonly<Record<Alert['severity'], string>> = {
  critical: 'CRIT',
  error: 'ERR ',
  warning: 'WARN',
  notice: 'NOTE',
};

/** One alert in a row of exactly `width`. */
export function alertLine(alert: Alert, state: State, width: number, nowEpochMs: number): Line {
  const isNew = state.alertsUnseen.has(alert.fingerprint);
  const sign = alert.acknowledged !== null ? '✓' : isNew ? '●' : ' ';
  const age = alert.atEpochMs === null ? '–' : coarseAge(nowEpochMs - alert.atEpochMs);
  const repeats = alert.repeats > 1 ? ` ×${formatCount(alert.repeats)}` : '';
  const left = line(
    seg(`${sign} `, 'critical'),
    seg(`${age.padStart(6)} `, 'muted'),
    seg(`${WORD_BY_SEVERITY[alert.severity]} `, ROLE_BY_SEVERITY[alert.severity]),
    addressed(alert.text, state.isMasked),
  );
  const whole = spread(cut(left, width - repeats.length), line(repeats), width);
  return alert.acknowledged === null ? whole : dimmed(whole);
}

/** Minutes at the least, in six cells: seconds that run would only draw the eye. */
function coarseAge(ms: number): string {
  if (ms < MINUTE_MS) return 'now';
  return formatAge(ms)
    .replace(/ (\d+) (min|h)$/, '')
    .replace(' min', 'm')
    .replace(' ', '');
}
