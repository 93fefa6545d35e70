/** What is looked up of one provider when somebody wants to know more: how its days went, and how its sends fail. */
import { fingerprintOf } from './alert.ts';
import type { DeliveryLog } from './email.ts';
import type { QuotaDay } from './quota-sync.ts';

export interface ProviderDetails {
  /** The last two weeks, ascending. */
  readonly days: readonly QuotaDay[];
  /** Failed and bounced sends of the last day, newest first; at most {@link MOST_FAILURES}. */
  readonly failures: readonly DeliveryLog[];
}

export const DETAIL_DAYS = 14;
export const MOST_FAILURES = 100;

/** Failures that differ only in numbers, times and ids. */
export interface FailureGroup {
  /** Of the newest. From outside. */
  readonly error: string;
  readonly count: number;
  readonly lastAtEpochMs: number;
}

/** Most frequent first, then newest. */
export function failureGroups(failures: readonly DeliveryLog[]): readonly FailureGroup[] {
  const groups = Map.groupBy(failures, (failure) => fingerprintOf('error', errorOf(failure)));
  return [...groups.values()]
    .map((own) => {
      const newest = own.reduce((a, b) => (b.createdAtEpochMs > a.createdAtEpochMs ? b : a));
      return { error: errorOf(newest), count: own.length, lastAtEpochMs: newest.createdAtEpochMs };
    })
    .sort((a, b) => b.count - a.count || b.lastAtEpochMs - a.lastAtEpochMs);
}

function errorOf({ errorMessage, status }: DeliveryLog): string {
  return errorMessage === null || errorMessage.trim() === '' ? `${status}, without a reason` : errorMessage;
}
