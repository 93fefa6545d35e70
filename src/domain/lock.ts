/**
 * The queue lock `email:queue:lock` and what its value means (WIRE.md, Redis keys).
 *
 * Any non-empty value means locked. Ours name the holder; legacy workers write a bare UUID. States: free; held by one of
 * our workers; held by an operator as a pause; held by somebody whose value we cannot read, which is treated as a worker.
 */

export type Lock =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'worker';
      readonly host: string;
      readonly pid: number;
      readonly token: string;
      readonly expiresAtEpochMs: number | null;
    }
  | (Pause & { readonly kind: 'paused'; readonly expiresAtEpochMs: number | null })
  | { readonly kind: 'unknown-holder'; readonly value: string; readonly expiresAtEpochMs: number | null };

export interface Pause {
  readonly operator: string;
  readonly host: string;
  readonly startedAtEpochMs: number;
  readonly reason: string;
}

/** The lock and, where a pause still waits for a worker to give way, its announcement (`email:queue:pause`). */
export interface LockState {
  /** Of several slots the first that a worker holds, else a pause. */
  readonly lock: Lock;
  /** How many workers hold a slot besides {@link lock}. Both are told only where there are several slots. */
  readonly otherSlotsHeld?: number;
  readonly freeSlots?: number;
  readonly announcedPause: (Pause & { readonly expiresAtEpochMs: number | null }) | null;
}

/**
 * Reads a lock value. `ttlMs` is what `PTTL` answered: remaining milliseconds, -1 without expiry, -2 without key.
 * Never throws: what cannot be read is an unknown holder.
 */
export function parseLock(value: string | null, ttlMs: number, nowEpochMs: number): Lock {
  if (value === null || value === '') return { kind: 'free' };
  const expiresAtEpochMs = ttlMs >= 0 ? nowEpochMs + ttlMs : null;
  const pause = parsePause(value);
  if (pause !== null) return { kind: 'paused', ...pause, expiresAtEpochMs };
  const worker = /^worker\/([^/]+)\/(\d{1,10})\/([^/]+)$/.exec(value);
  if (worker === null) return { kind: 'unknown-holder', value, expiresAtEpochMs };
  const [, host = '', pid = '', token = ''] = worker;
  return { kind: 'worker', host, pid: Number(pid), token, expiresAtEpochMs };
}

/** Reads `pause/<operator>@<host>/<started, epoch ms>/<reason, URI-encoded>`, or answers null. */
export function parsePause(value: string): Pause | null {
  const match = /^pause\/([^/@]*)@([^/]*)\/(\d{1,15})\/([^/]*)$/.exec(value);
  if (match === null) return null;
  const [, operator = '', host = '', startedAt = '', reason = ''] = match;
  return { operator, host, startedAtEpochMs: Number(startedAt), reason: decodeOrRaw(reason) };
}

export function formatPause(pause: Pause): string {
  const name = pause.operator.toWellFormed().replaceAll(/[/@]/g, '_');
  const host = pause.host.toWellFormed().replaceAll('/', '_');
  // Half a character, as JSON can carry it, has no encoding.
  return `pause/${name}@${host}/${pause.startedAtEpochMs}/${encodeURIComponent(pause.reason.toWellFormed())}`;
}

/** What a pause says when `operator` prolongs it for a reason: nobody's words are put into somebody else's mouth. */
export function prolongedReason(pause: Pause, operator: string, reason: string): string {
  if (pause.operator === operator) return reason;
  const own = `${operator}: ${reason}`;
  return pause.reason === '' ? own : `${pause.reason}; ${own}`;
}

export function formatWorkerLock(worker: { host: string; pid: number; token: string }): string {
  return `worker/${worker.host.replaceAll('/', '_')}/${worker.pid}/${worker.token}`;
}

function decodeOrRaw(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
