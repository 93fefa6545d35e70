/** One snapshot for all who ask within a few seconds: an endpoint that is polled must not multiply the Redis bill. */
import type { SnapshotReader } from '../data/snapshot.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../domain/time.ts';

export const SNAPSHOT_GOOD_FOR_MS = 5_000;

/** Whoever asks while a read is under way gets its result. Rejects only when the reader is closed. */
export function createSnapshotCache(reader: Pick<SnapshotReader, 'read'>, clock: Clock): () => Promise<Snapshot> {
  let latest: { atEpochMs: number; snapshot: Promise<Snapshot> } | null = null;
  return () => {
    const now = clock.nowEpochMs();
    if (latest !== null && now - latest.atEpochMs < SNAPSHOT_GOOD_FOR_MS) return latest.snapshot;
    const snapshot = reader.read();
    latest = { atEpochMs: now, snapshot };
    snapshot.catch(() => {
      latest = null;
    });
    return snapshot;
  };
}
