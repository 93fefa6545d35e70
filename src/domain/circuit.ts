/**
 * The circuit breaker of one provider, as a pure state machine. `email_function_finish` does the same in SQL for the deployed
 * function, where several instances share one circuit; a test holds the two equal.
 *
 * closed    → open       after five failures in a row
 * open      → half-open  when a send is let through after a minute: the probe
 * half-open → closed     after three probes in a row that succeeded, one at a time
 * half-open → open       as soon as one fails
 *
 * Only failures that speak against the provider count; a bad address or a used-up quota says nothing.
 */
import type { SendFailureKind } from './send-failure.ts';
import { MINUTE_MS, SECOND_MS } from './time.ts';

export const FAILURES_TO_OPEN = 5;
export const OPEN_FOR_MS = MINUTE_MS;
export const SUCCESSES_TO_CLOSE = 3;
/** A probe that nobody reported by then is taken for lost, and the next one may start. */
export const PROBE_LEASE_MS = 30 * SECOND_MS;

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface Circuit {
  readonly state: CircuitState;
  /** In a row, while closed. */
  readonly failures: number;
  /** Of probes, in a row, while half-open. */
  readonly successes: number;
  readonly lastFailureAtEpochMs: number | null;
  /** While open: when the first probe may start. */
  readonly nextRetryAtEpochMs: number | null;
  /** While half-open: a probe is under way until then. */
  readonly probeUntilEpochMs: number | null;
}

export const CLOSED: Circuit = {
  state: 'closed',
  failures: 0,
  successes: 0,
  lastFailureAtEpochMs: null,
  nextRetryAtEpochMs: null,
  probeUntilEpochMs: null,
};

/** What the end of a send says about its provider. */
export type Verdict = 'success' | 'failure' | 'neutral';

const VERDICTS: Readonly<Record<SendFailureKind, Verdict>> = {
  outage: 'failure',
  refused: 'failure',
  unanswered: 'failure',
  transient: 'failure',
  permanent: 'neutral',
  quota: 'neutral',
  'rate-limited': 'neutral',
};

export function verdictOf(end: 'sent' | SendFailureKind): Verdict {
  return end === 'sent' ? 'success' : VERDICTS[end];
}

/** The state as it counts now: an open circuit whose minute is over lets a probe through. */
export function circuitStateAt(circuit: Circuit, nowEpochMs: number): CircuitState {
  const isOver = circuit.state === 'open' && nowEpochMs >= (circuit.nextRetryAtEpochMs ?? 0);
  return isOver ? 'half-open' : circuit.state;
}

/** Whether a send may start, and the circuit with it under way. */
export function admit(circuit: Circuit, nowEpochMs: number): { readonly admitted: boolean; readonly circuit: Circuit } {
  if (circuit.state === 'closed') return { admitted: true, circuit };
  if (circuitStateAt(circuit, nowEpochMs) === 'open') return { admitted: false, circuit };
  const isProbing = circuit.state === 'half-open' && nowEpochMs < (circuit.probeUntilEpochMs ?? 0);
  if (isProbing) return { admitted: false, circuit };
  const successes = circuit.state === 'half-open' ? circuit.successes : 0;
  const probeUntilEpochMs = nowEpochMs + PROBE_LEASE_MS;
  return { admitted: true, circuit: { ...circuit, state: 'half-open', successes, probeUntilEpochMs } };
}

/** When a refused send may be tried again. */
export function retryAtEpochMs(circuit: Circuit, nowEpochMs: number): number {
  const at = circuit.state === 'open' ? circuit.nextRetryAtEpochMs : circuit.probeUntilEpochMs;
  return Math.max(nowEpochMs, at ?? nowEpochMs);
}

/** The circuit after a send ended. */
export function settle(circuit: Circuit, verdict: Verdict, nowEpochMs: number): Circuit {
  switch (verdict) {
    case 'neutral':
      return { ...circuit, probeUntilEpochMs: null };
    case 'success':
      return afterSuccess(circuit);
    case 'failure':
      return afterFailure(circuit, nowEpochMs);
  }
}

function afterSuccess(circuit: Circuit): Circuit {
  // A send that began before the circuit opened: it does not shorten the rest.
  if (circuit.state === 'open') return circuit;
  if (circuit.state === 'closed') return { ...circuit, failures: 0 };
  const successes = circuit.successes + 1;
  if (successes < SUCCESSES_TO_CLOSE) return { ...circuit, successes, probeUntilEpochMs: null };
  return { ...CLOSED, lastFailureAtEpochMs: circuit.lastFailureAtEpochMs };
}

function afterFailure(circuit: Circuit, nowEpochMs: number): Circuit {
  const failures = circuit.failures + 1;
  const failed = { ...circuit, failures, lastFailureAtEpochMs: nowEpochMs };
  // Sends that began before it opened end late; they do not prolong the rest.
  if (circuit.state === 'open') return failed;
  if (circuit.state === 'closed' && failures < FAILURES_TO_OPEN) return failed;
  const nextRetryAtEpochMs = nowEpochMs + OPEN_FOR_MS;
  return { ...failed, state: 'open', successes: 0, nextRetryAtEpochMs, probeUntilEpochMs: null };
}
