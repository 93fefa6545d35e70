/** What operators did, as `email:ops:audit` keeps it. */
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
