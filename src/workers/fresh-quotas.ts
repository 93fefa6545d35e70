/** Keeps the ledger of a run honest: reads the quotas again now and then, because other workers send too, and at midnight. */
import type { Overview } from '../data/overview.ts';
import type { QuotaLedger } from '../domain/quota-ledger.ts';
import { type Clock, SECOND_MS, utcDay } from '../domain/time.ts';

/** How old what we know of other workers' sends may become. */
const GOOD_FOR_MS = 10 * SECOND_MS;

export interface FreshQuotas {
  /** Reads them again if it is time. Never rejects: then the ledger goes on with what it knows. */
  refresh(): Promise<void>;
}

export function createFreshQuotas(options: {
  readonly ledger: QuotaLedger;
  readonly overview: Pick<Overview, 'read'>;
  readonly clock: Clock;
  /** When the ledger's quotas were read, epoch ms. */
  readonly readAtEpochMs: number;
  readonly onFailed: (error: unknown) => void;
}): FreshQuotas {
  const { ledger, overview, clock } = options;
  let { readAtEpochMs } = options;
  return {
    refresh: async () => {
      const now = clock.nowEpochMs();
      const isNewDay = utcDay(now) !== utcDay(readAtEpochMs);
      if (!isNewDay && now - readAtEpochMs < GOOD_FOR_MS) return;
      const apply = ledger.beginReading();
      try {
        apply((await overview.read()).overview.quotas, isNewDay);
        readAtEpochMs = now;
      } catch (error) {
        options.onFailed(error);
      }
    },
  };
}
