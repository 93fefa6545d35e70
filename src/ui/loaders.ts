/**
 * What a view may ask for beyond the snapshot, when it is opened or scrolled: pages of the queue, details, the audit list.
 * A new kind is a row here and a handler in `commands/watch.ts`; the answer comes to the view that asked as `loaded`.
 */
import type { AuditTrail } from '../domain/audit.ts';
import type { DeadDeliveries, DeliveryLog } from '../domain/delivery.ts';
import type { Fault } from '../domain/loaded.ts';
import type { ProviderDetails } from '../domain/provider-details.ts';
import type { ProviderHistory } from '../domain/provider-history.ts';
import type { ProviderState } from '../domain/provider-state.ts';
import type {
  EmailDetails,
  ErrorGroups,
  ListedStatus,
  PagePlace,
  QueuePage,
  QueueQuery,
} from '../domain/queue-page.ts';
import type { RunFeed } from '../domain/run.ts';

/** Request and answer of each kind. */
export interface LoadKinds {
  /** Rows of the queue, or dead letters. */
  readonly 'queue-page': {
    readonly request: { readonly query: QueueQuery; readonly place: PagePlace; readonly limit: number };
    readonly value: QueuePage;
  };
  readonly 'queue-groups': { readonly request: { readonly status: ListedStatus | null }; readonly value: ErrorGroups };
  /** By the id of the queue row; null when there is none. */
  readonly email: { readonly request: { readonly id: string }; readonly value: EmailDetails | null };
  /** The newest `limit` actions of operators. */
  readonly audit: { readonly request: { readonly limit: number }; readonly value: AuditTrail };
  /** All runs that are recorded: more than the snapshot carries. */
  readonly runs: { readonly request: Record<never, never>; readonly value: RunFeed };
  /** What became of the last messages of a schedule. */
  readonly deliveries: { readonly request: { readonly scheduleId: string }; readonly value: DeliveryLog };
  /** Deliveries of every provider over the last `rangeMs`. */
  readonly 'provider-history': { readonly request: { readonly rangeMs: number }; readonly value: ProviderHistory };
  /** As Postgres knows them; empty on a database without our migration. */
  readonly 'provider-states': { readonly request: Record<never, never>; readonly value: readonly ProviderState[] };
  readonly 'provider-details': { readonly request: { readonly provider: string }; readonly value: ProviderDetails };
  /** What QStash gave up on, page by page. */
  readonly 'dead-deliveries': { readonly request: { readonly cursor: string | null }; readonly value: DeadDeliveries };
}

export type LoadKind = keyof LoadKinds;

export type LoadRequest = { [K in LoadKind]: { readonly kind: K } & LoadKinds[K]['request'] }[LoadKind];

export type LoadResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

/** An answer beside its question: a view that asked again meanwhile can tell the newer one. */
export type LoadEvent = {
  [K in LoadKind]: {
    readonly view: string;
    readonly kind: K;
    readonly request: Extract<LoadRequest, { kind: K }>;
    readonly result: LoadResult<LoadKinds[K]['value']>;
  };
}[LoadKind];

/** Handlers may reject: that becomes a fault. */
export type Loaders = {
  readonly [K in LoadKind]?: (
    request: Extract<LoadRequest, { kind: K }>,
    signal: AbortSignal,
  ) => Promise<LoadKinds[K]['value']>;
};
