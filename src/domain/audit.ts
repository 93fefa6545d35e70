/** What operators did, as `email:ops:audit` keeps it. */
import { parsePause } from './lock.ts';

export interface AuditEntry {
  readonly atEpochMs: number;
  readonly by: string;
  readonly host: string;
  /** Such as `pause`, `retry`, `acknowledge`. */
  readonly action: string;
  readonly target: string;
  /** `ok`, or what went wrong, in a sentence. */
  readonly outcome: string;
}

export interface AuditTrail {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  readonly skipped: number;
}

/** A pause is kept as its lock value, which nobody wants to read. */
export function targetWords({ target }: Pick<AuditEntry, 'target'>): string {
  const pause = parsePause(target);
  if (pause === null) return target;
  return pause.reason === '' ? 'the queue' : `the queue: ${pause.reason}`;
}
