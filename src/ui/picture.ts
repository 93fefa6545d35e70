/** What the dashboard knows of the outside: a snapshot of which parts may not have arrived yet. */
import type { Environment, ReadCost, Snapshot } from '../domain/snapshot.ts';

export const PART_NAMES = ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Null: not read yet. */
export type Picture = { readonly [P in PartName]: Snapshot[P] | null };

export const NOTHING_YET: Picture = {
  lock: null,
  health: null,
  alerts: null,
  metrics: null,
  stats: null,
  runs: null,
  queue: null,
  schedules: null,
};

/** One part as it arrives. */
export type PartEvent = { [P in PartName]: { readonly name: P; readonly part: Snapshot[P] } }[PartName];

export function withPart(picture: Picture, { name, part }: PartEvent): Picture {
  return picture[name] === part ? picture : { ...picture, [name]: part };
}

export function pictureOf(snapshot: Snapshot): Picture {
  const { lock, health, alerts, metrics, stats, runs, queue, schedules } = snapshot;
  return { lock, health, alerts, metrics, stats, runs, queue, schedules };
}

export function missingParts(picture: Picture): readonly PartName[] {
  return PART_NAMES.filter((name) => picture[name] === null);
}

/** A part that has not arrived yet is no failure, but nothing can be said of it either. */
export function snapshotOf(
  picture: Picture,
  rest: { readonly environment: Environment; readonly cost: ReadCost; readonly takenAtEpochMs: number },
): Snapshot {
  const waiting = { state: 'failed', error: { code: 'cancelled', message: 'Not read yet.' } } as const;
  return {
    version: 1,
    ...rest,
    lock: picture.lock ?? waiting,
    health: picture.health ?? waiting,
    alerts: picture.alerts ?? waiting,
    metrics: picture.metrics ?? waiting,
    stats: picture.stats ?? waiting,
    runs: picture.runs ?? waiting,
    queue: picture.queue ?? waiting,
    schedules: picture.schedules ?? waiting,
  };
}
