/** What a check of `doctor` finds: a fact with its remedy, and how a check that throws becomes one. */
import { FaultError } from '../../data/fault.ts';
import { RedisError } from '../../data/redis-fault.ts';

/** `skipped`: there was nothing to check, or something before it failed already. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** One line. Text from outside is cleaned where it is shown. */
  readonly detail: string;
  readonly latencyMs?: number;
  /** What to do, where it is not well. */
  readonly remedy?: string;
}

/** How far a server's clock is ahead of ours; the round trip makes it uncertain by that much either way. */
export interface ServerClock {
  readonly server: string;
  readonly skewMs: number;
  readonly uncertaintyMs: number;
}

export interface GroupResult {
  readonly checks: readonly Check[];
  readonly clocks?: readonly ServerClock[];
}

/** Runs `probe` and says how long it took. A fault becomes a failed check under `name`; anything else is thrown on. */
export async function probe<T>(
  name: string,
  run: () => Promise<T>,
): Promise<
  { readonly value: T; readonly startedAtEpochMs: number; readonly latencyMs: number } | { readonly failed: Check }
> {
  const startedAtEpochMs = Date.now();
  const started = performance.now();
  try {
    const value = await run();
    return { value, startedAtEpochMs, latencyMs: Math.round(performance.now() - started) };
  } catch (error) {
    if (!(error instanceof FaultError || error instanceof RedisError)) throw error;
    const { message, remedy } = error.fault;
    const failed: Check = {
      name,
      state: 'failed',
      detail: message,
      latencyMs: Math.round(performance.now() - started),
    };
    return { failed: remedy === undefined ? failed : { ...failed, remedy } };
  }
}

/** The server's clock as its answer tells, against the middle of the question and the answer. */
export function clockOf(
  server: string,
  serverAtEpochMs: number,
  { startedAtEpochMs, latencyMs }: { startedAtEpochMs: number; latencyMs: number },
  resolutionMs = 0,
): ServerClock {
  const middle = startedAtEpochMs + latencyMs / 2;
  return {
    server,
    skewMs: serverAtEpochMs + resolutionMs / 2 - middle,
    uncertaintyMs: (latencyMs + resolutionMs) / 2,
  };
}

export function notConfigured(variables: string): Check {
  return {
    name: 'configured',
    state: 'skipped',
    detail: 'not configured',
    remedy: `Set ${variables} in the environment or in .env.`,
  };
}
