/** One snapshot for all who ask within a few seconds: an endpoint that is polled must not multiply the Redis bill. */
import type { SnapshotReader } from '../data/snapshot.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { type Clock, MINUTE_MS } from '../domain/time.ts';

export const SNAPSHOT_GOOD_FOR_MS = 5_000;
/** What nothing tells to have changed may be that old: who scrapes every 15 s pays for a command then. */
const PARTS_GOOD_FOR_MS = MINUTE_MS;

/** Whoever asks while a read is under way gets its result. Rejects only when the reader is closed. */
export function createSnapshotCache(reader: Pick<SnapshotReader, 'read'>, clock: Clock): () => Promise<Snapshot> {
  let latest: { atEpochMs: number; snapshot: Promise<Snapshot> } | null = null;
  return () => {
    const now = clock.nowEpochMs();
    if (latest !== null && now - latest.atEpochMs < SNAPSHOT_GOOD_FOR_MS) return latest.snapshot;
    const snapshot = reader.read(undefined, { goodForMs: PARTS_GOOD_FOR_MS });
    latest = { atEpochMs: now, snapshot };
    snapshot.catch(() => {
      latest = null;
    });
    return snapshot;
  };
}
