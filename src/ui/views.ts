/** Every view, in the order of their number keys. A new view is its file in `views/` and a row here. */
import type { View } from './view.ts';
import { alerts } from './views/alerts.ts';
import { overview } from './views/overview.ts';
import { providers } from './views/providers.ts';
import { queue } from './views/queue.ts';
import { runs } from './views/runs.ts';
import { schedules } from './views/schedules.ts';

export const VIEWS: readonly View[] = [overview, queue, alerts, providers, schedules, runs];

export function viewOf(id: string): View {
  return VIEWS.find((view) => view.id === id) ?? overview;
}
