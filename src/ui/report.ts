/** The incident so far, as the dashboard knows it: what `s` saves. The rules are those of `domain/incident.ts`. */
import { type Incident, incidentOf } from '../domain/incident.ts';
import { incidentMarkdown } from '../domain/incident-markdown.ts';
import { lastValue } from '../domain/loaded.ts';
import { outside } from '../domain/state-words.ts';
import { rangeOf } from './chart.ts';
import { type State, shownNow, shownPicture } from './state.ts';

export function reportOf(state: State): string {
  return incidentMarkdown(incidentIn(state));
}

function incidentIn(state: State): Incident {
  const { lock, queue, alerts, runs, metrics } = shownPicture(state);
  const now = shownNow(state);
  return incidentOf({
    nowEpochMs: now,
    sinceEpochMs: now - rangeOf(state.chart).ms,
    environment: state.environment?.name ?? null,
    author: state.operator,
    verdict: state.verdict,
    queue: queue === null ? undefined : lastValue(queue),
    lock: lock === null ? undefined : lastValue(lock),
    alerts: alerts === null ? undefined : lastValue(alerts),
    runs: runs === null ? [] : (lastValue(runs)?.runs ?? []),
    points: metrics === null ? [] : (lastValue(metrics)?.points ?? []),
    actions: state.history.map(({ atEpochMs, outcome }) => ({
      atEpochMs,
      kind: 'operator',
      what: outside(`${state.operator}: ${outcome.text}`, 600),
    })),
  });
}
