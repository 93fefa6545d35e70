/** What the view *Alerts* lists: why the verdict is what it is now, then the feed, open ones first. Pure. */
import { type Alert, isCriticalAlert } from '../../../domain/alert.ts';
import { lastValue } from '../../../domain/loaded.ts';
import { entryForAlert, entryForReason, type RunbookEntry } from '../../../domain/runbook.ts';
import type { VerdictReason } from '../../../domain/verdict.ts';
import { type State, shownPicture } from '../../state.ts';

export type AlertRow =
  | { readonly id: string; readonly kind: 'reason'; readonly reason: VerdictReason; readonly entry: RunbookEntry }
  | { readonly id: string; readonly kind: 'alert'; readonly alert: Alert; readonly entry: RunbookEntry };

export function alertRows(state: State): readonly AlertRow[] {
  return [...reasonRows(state), ...feedRows(state)];
}

/** Remarks raise no level, and the alerts themselves stand below. */
function reasonRows({ verdict }: State): AlertRow[] {
  const reasons = (verdict?.reasons ?? []).filter(
    ({ level, code }) => level !== 'ok' && code !== 'unacknowledged-alerts',
  );
  return reasons.map((reason, index) => {
    // Several may have the same code; their texts carry ages and would not stay the same.
    const nth = reasons.slice(0, index).filter(({ code }) => code === reason.code).length;
    return { id: `reason/${reason.code}/${nth}`, kind: 'reason', reason, entry: entryForReason(reason.code) };
  });
}

function feedRows(state: State): AlertRow[] {
  const { alerts: part } = shownPicture(state);
  const all = part === null ? [] : (lastValue(part)?.alerts ?? []);
  const isOpen = ({ acknowledged }: Alert) => acknowledged === null;
  return [...all.filter(isOpen), ...all.filter((alert) => !isOpen(alert))].map((alert) => ({
    id: `alert/${alert.fingerprint}`,
    kind: 'alert',
    alert,
    entry: entryForAlert(alert.text),
  }));
}

/** Critical ones that nobody has acknowledged. */
export function openAlerts(state: State): readonly Alert[] {
  return feedRows(state).flatMap((row) =>
    row.kind === 'alert' && isCriticalAlert(row.alert.severity) && row.alert.acknowledged === null ? [row.alert] : [],
  );
}

export interface Selection {
  readonly selected: string | null;
  /** Where it was when it was last seen: what has gone leaves the selection to its neighbour. */
  readonly index: number;
}

/** -1 where there is nothing to select. Without a selection the newest open alert, an urgent one first as in the headline, else the first row. */
export function selectedIndex(rows: readonly AlertRow[], { selected, index }: Selection): number {
  if (rows.length === 0) return -1;
  if (selected === null) {
    const isOpen = (row: AlertRow) => row.kind === 'alert' && row.alert.acknowledged === null;
    const urgent = rows.findIndex((row) => isOpen(row) && row.kind === 'alert' && row.alert.severity === 'critical');
    return Math.max(0, urgent >= 0 ? urgent : rows.findIndex(isOpen));
  }
  const found = rows.findIndex(({ id }) => id === selected);
  return found >= 0 ? found : Math.min(index, rows.length - 1);
}
