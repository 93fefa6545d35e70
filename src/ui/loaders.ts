/**
 * What a view may ask for beyond the snapshot, when it is opened or scrolled: pages of the queue, details, the audit list.
 * A new kind is a row here and a handler in `commands/watch.ts`; the answer comes to the view that asked as `loaded`.
 */
import type { AuditTrail } from '../domain/audit.ts';
import type { Fault } from '../domain/loaded.ts';

/** Request and answer of each kind. */
export interface LoadKinds {
  readonly audit: { readonly request: Record<never, never>; readonly value: AuditTrail };
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
