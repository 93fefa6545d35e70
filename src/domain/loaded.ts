/** A part of the picture that may be missing: every system fails on its own and never blanks the others (DESIGN §3). */

/** Why a read failed, in words for a person. `code` is for programs; `remedy` is what to do about it. */
export interface Fault {
  readonly code: FaultCode;
  /** One line, no secret, no full email address. */
  readonly message: string;
  readonly remedy?: string;
}

export type FaultCode =
  | 'not-configured'
  | 'timeout'
  | 'unreachable'
  | 'unauthorized'
  | 'missing-schema'
  | 'rate-limited'
  | 'protocol'
  | 'cancelled'
  | 'internal';

export type Loaded<T> =
  | { readonly state: 'ok'; readonly atEpochMs: number; readonly value: T }
  | {
      readonly state: 'stale';
      readonly atEpochMs: number;
      readonly value: T;
      readonly error: Fault;
      /** The first of the reads that failed: how long an outage lasts does not hang on how rarely somebody looks. */
      readonly failingSinceEpochMs?: number;
    }
  | { readonly state: 'failed'; readonly error: Fault };

export function loaded<T>(value: T, atEpochMs: number): Loaded<T> {
  return { state: 'ok', atEpochMs, value };
}

/** What remains after a read that failed at `nowEpochMs`: the last good value, marked stale, or nothing but the fault. */
export function failedAfter<T>(previous: Loaded<T> | undefined, error: Fault, nowEpochMs?: number): Loaded<T> {
  if (previous === undefined || previous.state === 'failed') return { state: 'failed', error };
  const { atEpochMs, value } = previous;
  const failingSinceEpochMs = (previous.state === 'stale' ? previous.failingSinceEpochMs : undefined) ?? nowEpochMs;
  return {
    state: 'stale',
    atEpochMs,
    value,
    error,
    ...(failingSinceEpochMs === undefined ? {} : { failingSinceEpochMs }),
  };
}

/** The value if there is one, however old. */
export function lastValue<T>(part: Loaded<T>): T | undefined {
  return part.state === 'failed' ? undefined : part.value;
}

export function mapLoaded<T, U>(part: Loaded<T>, change: (value: T) => U): Loaded<U> {
  return part.state === 'failed' ? part : { ...part, value: change(part.value) };
}
