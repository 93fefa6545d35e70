/** Ten minutes in front of the screen, the same on every machine: clock, snapshots and keys are given, nothing is measured by time. */
import type { Loaded } from '../../src/domain/loaded.ts';
import type { MetricPoint } from '../../src/domain/metric.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { frameOf } from '../../src/ui/frame.ts';
import type { Size } from '../../src/ui/layout.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import { calmSnapshot, connected, DARK, incidentSnapshot, keys } from '../../tests/support/dashboard.ts';
import { aRun } from '../../tests/support/snapshot.ts';
import { blankGrid, createGridTerminal } from './grid.ts';
import { idealDiff } from './ideal.ts';

export interface Sent {
  readonly bytes: number;
  readonly idealBytes: number;
  readonly cells: number;
  readonly frames: number;
}

export const SCENARIOS = { calm: calmSnapshot, incident: incidentSnapshot } as const;
export type ScenarioName = keyof typeof SCENARIOS;

export const REFRESHES = 120;
const REFRESH_SECONDS = 5;

/** What the first picture took. */
export async function firstPaint(scenario: ScenarioName, size: Size): Promise<Sent> {
  return drawn(connected(SCENARIOS[scenario](), { size, look: DARK }), [[]], { isFirstCounted: true });
}

/** A tick every second and a refresh every five, the Overview shown, without the first picture. */
export async function tenMinutes(scenario: ScenarioName, size: Size): Promise<Sent> {
  const first = SCENARIOS[scenario]();
  const steps = Array.from({ length: REFRESHES * REFRESH_SECONDS }, (_, index): UiEvent[] => {
    const second = index + 1;
    const atEpochMs = first.takenAtEpochMs + second * SECOND_MS;
    const tick: UiEvent = { type: 'tick', nowEpochMs: atEpochMs };
    if (second % REFRESH_SECONDS !== 0) return [tick];
    return [tick, { type: 'read', snapshot: snapshotAt(first, second / REFRESH_SECONDS, scenario) } as UiEvent];
  });
  return drawn(connected(first, { size, look: DARK }), steps);
}

/** Every view once, the help over it, and back. */
export async function allViews(size: Size): Promise<Sent> {
  const steps = ['2', '3', '4', '5', '6', '1', '?', 'x', 'z', 'z'].map((key) => keys(key));
  return drawn(connected(SCENARIOS.incident(), { size, look: DARK }), steps);
}

async function drawn(
  begin: State,
  steps: readonly (readonly UiEvent[])[],
  { isFirstCounted = false } = {},
): Promise<Sent> {
  const terminal = createGridTerminal(begin.size);
  let sent = '';
  const screen = createScreen({
    size: begin.size,
    write: (bytes) => {
      sent += bytes;
    },
    isSynchronised: true,
  });
  let state = begin;
  let grid = blankGrid(begin.size);
  const sums = { bytes: 0, idealBytes: 0, cells: 0, frames: 0 };
  const draw = async (isCounted: boolean) => {
    sent = '';
    screen.show(frameOf(state), state.look);
    const bytes = Buffer.byteLength(sent);
    if (bytes === 0) return;
    const next = await terminal.after(sent);
    if (isCounted) {
      const ideal = idealDiff(grid, next);
      sums.bytes += bytes;
      sums.idealBytes += ideal.bytes;
      sums.cells += ideal.cells;
      sums.frames += 1;
    }
    grid = next;
  };
  await draw(isFirstCounted);
  for (const events of steps) {
    for (const event of events) [state] = reduce(state, event);
    await draw(!isFirstCounted);
  }
  screen.destroy();
  terminal.dispose();
  return sums;
}

/** What has come of `first` after so many refreshes: mail comes and goes, and in an incident more comes. */
function snapshotAt(first: Snapshot, refresh: number, scenario: ScenarioName): Snapshot {
  const takenAtEpochMs = first.takenAtEpochMs + refresh * REFRESH_SECONDS * SECOND_MS;
  const isIncident = scenario === 'incident';
  const jitter = (refresh * 7_919) % 11;
  const minutes = Math.floor((refresh * REFRESH_SECONDS) / 60);
  return {
    ...first,
    takenAtEpochMs,
    queue: changed(first.queue, takenAtEpochMs, (overview) => ({
      ...overview,
      databaseAtEpochMs: takenAtEpochMs,
      counts: {
        ...overview.counts,
        queued: overview.counts.queued + (isIncident ? refresh * 3 + jitter : jitter % 4),
        processing: isIncident ? jitter : jitter % 4,
        completed: overview.counts.completed + refresh * 2,
      },
      ready: overview.ready + (isIncident ? refresh * 3 : jitter % 5),
      lastCompletedAtEpochMs: takenAtEpochMs - jitter * SECOND_MS,
      quotas: overview.quotas.map((quota, index) => ({
        ...quota,
        day: {
          ...quota.day,
          sent: Math.min(
            quota.day.limit ?? Number.MAX_VALUE,
            quota.day.sent + (index % 2 === 0 ? 0 : Math.floor(refresh / 6)),
          ),
        },
      })),
    })),
    stats: changed(first.stats, takenAtEpochMs, (stats) => ({
      ...stats,
      processed: stats.processed + refresh * 2,
      successful: stats.successful + refresh * 2,
    })),
    runs: changed(first.runs, takenAtEpochMs, (feed) => ({
      ...feed,
      runs: [...newRuns(first, Math.floor(minutes / 2)), ...feed.runs],
    })),
    metrics: changed(first.metrics, takenAtEpochMs, (series) => ({
      ...series,
      points: [...series.points, ...newPoints(series.points.at(-1), Math.floor(minutes / 5), isIncident)],
    })),
    cost: { ...first.cost, redisCommands: first.cost.redisCommands + refresh * 8 },
  };
}

function changed<T>(part: Loaded<T>, atEpochMs: number, change: (value: T) => T): Loaded<T> {
  return part.state === 'failed' ? part : { ...part, atEpochMs, value: change(part.value) };
}

function newRuns(first: Snapshot, count: number) {
  return Array.from({ length: count }, (_, index) =>
    aRun({
      id: `new-${index}`,
      startedAtEpochMs: first.takenAtEpochMs + (index + 1) * 2 * MINUTE_MS,
      processed: 20 + index,
      successful: 20 + index,
    }),
  ).reverse();
}

function newPoints(last: MetricPoint | undefined, count: number, isIncident: boolean): MetricPoint[] {
  if (last === undefined) return [];
  return Array.from({ length: count }, (_, index) => ({
    ...last,
    atEpochMs: last.atEpochMs + (index + 1) * 5 * MINUTE_MS,
    queueDepth: (last.queueDepth ?? 0) + (isIncident ? 90 : 3) * (index + 1),
  }));
}
