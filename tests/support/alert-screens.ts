/** States of the view *Alerts* that are stored as screens, by the beginning of their files' names. */
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import type { Size } from '../../src/ui/layout.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import type { Look } from '../../src/ui/theme.ts';
import { afterEvents, calmSnapshot, connected, failedSnapshot, incidentSnapshot, keys } from './dashboard.ts';
import { NOON } from './snapshot.ts';

type Make = (size: Size, look: Look) => State;

const OPEN: UiEvent = { type: 'command', name: 'view', argument: 'alerts' };
const incident: Make = (size, look) => afterEvents(connected(incidentSnapshot(), { size, look }), OPEN);
const pressed =
  (...names: readonly string[]): Make =>
  (size, look) =>
    afterEvents(incident(size, look), ...keys(...names));

export const ALERT_SCREENS = {
  'alerts-incident': incident,
  'alerts-reason': pressed('g'),
  'alerts-details': pressed('enter'),
  'alerts-all': pressed('A'),
  'alerts-acknowledged': (size, look) => afterEvents(connected(acknowledged(), { size, look }), OPEN, ...keys('end')),
  'alerts-calm': (size, look) => afterEvents(connected(calmSnapshot(), { size, look }), OPEN),
  'alerts-failed': (size, look) => afterEvents(connected(failedSnapshot(), { size, look }), OPEN),
} as const satisfies Record<string, Make>;

/** One of two is in hand, and what came came often. */
function acknowledged() {
  const at = (minutes: number) => new Date(NOON - minutes * MINUTE_MS).toISOString();
  const entries = [
    `ERROR: brevo fails 40 % of its last 20 sends [${at(2)}]`,
    `ERROR: brevo fails 35 % of its last 20 sends [${at(63)}]`,
    `CRITICAL: The oldest ready email has waited 16 min. [${at(25)}]`,
  ];
  const [, oldest] = parseAlerts(entries, {}, NOON).alerts;
  const acked = { [oldest?.fingerprint ?? '']: JSON.stringify({ by: 'grace', at: at(20) }) };
  return { ...calmSnapshot(), alerts: loaded(parseAlerts(entries, acked, NOON), NOON) };
}
