/** Which alerts were announced when, in a journal: each at most once an hour, also across restarts. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, HOUR_MS } from '../../domain/time.ts';
import { openJournal } from '../journal.ts';

export interface Announcements {
  /** Of these, those that have not been announced within the last hour; they count as announced. */
  announce(keys: readonly string[]): readonly string[];
  close(): void;
}

const announcementSchema = z.object({ key: z.string(), atEpochMs: z.number() });

export function openAnnouncements(folder: string, clock: Clock): Announcements {
  const journal = openJournal(join(folder, 'alerts.jsonl'), (value) => announcementSchema.parse(value));
  const announcedAt = new Map(journal.replayed.map(({ key, atEpochMs }) => [key, atEpochMs]));
  return {
    announce: (keys) => {
      const now = clock.nowEpochMs();
      const due = keys.filter((key) => now - (announcedAt.get(key) ?? -HOUR_MS) >= HOUR_MS);
      for (const key of due) announcedAt.set(key, now);
      // One line for each kind of alert ever raised: small enough to write whole.
      if (due.length > 0) journal.rewrite([...announcedAt].map(([key, atEpochMs]) => ({ key, atEpochMs })));
      return due;
    },
    close: () => journal.close(),
  };
}
