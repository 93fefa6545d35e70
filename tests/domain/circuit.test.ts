import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  admit,
  type Circuit,
  CLOSED,
  circuitStateAt,
  OPEN_FOR_MS,
  settle,
  verdictOf,
} from '../../src/domain/circuit.ts';

const fail = (circuit: Circuit, times: number, at = 0): Circuit =>
  Array.from({ length: times }).reduce<Circuit>((current) => settle(current, 'failure', at), circuit);

describe('a circuit', () => {
  test('opens at the fifth failure in a row, not before', () => {
    expect(fail(CLOSED, 4).state).toBe('closed');
    expect(fail(CLOSED, 5)).toMatchObject({ state: 'open', nextRetryAtEpochMs: OPEN_FOR_MS });
    const interrupted = settle(fail(CLOSED, 4), 'success', 0);
    expect(fail(interrupted, 4).state).toBe('closed');
  });

  test('counts what speaks against the provider, and nothing else', () => {
    for (const end of ['outage', 'refused', 'unanswered', 'transient'] as const) expect(verdictOf(end)).toBe('failure');
    for (const end of ['permanent', 'quota', 'rate-limited'] as const) expect(verdictOf(end)).toBe('neutral');
    const neutral = settle(fail(CLOSED, 4), 'neutral', 0);
    expect(neutral.failures).toBe(4);
  });

  test('lets nobody through for a minute, then one probe at a time, and closes after three that succeed', () => {
    let circuit = fail(CLOSED, 5);
    expect(admit(circuit, OPEN_FOR_MS - 1).admitted).toBe(false);
    expect(circuitStateAt(circuit, OPEN_FOR_MS)).toBe('half-open');
    for (let probe = 0; probe < 3; probe += 1) {
      const begun = admit(circuit, OPEN_FOR_MS);
      expect(begun.admitted).toBe(true);
      expect(admit(begun.circuit, OPEN_FOR_MS + 1).admitted).toBe(false);
      circuit = settle(begun.circuit, 'success', OPEN_FOR_MS + 2);
    }
    expect(circuit).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('opens anew when a probe fails; sends that began before neither prolong nor end the rest', () => {
    const open = fail(CLOSED, 5);
    expect(settle(open, 'failure', 30_000).nextRetryAtEpochMs).toBe(OPEN_FOR_MS);
    expect(settle(open, 'success', 30_000).state).toBe('open');
    const probing = admit(open, OPEN_FOR_MS).circuit;
    expect(settle(probing, 'failure', OPEN_FOR_MS)).toMatchObject({
      state: 'open',
      nextRetryAtEpochMs: 2 * OPEN_FOR_MS,
    });
  });

  test('whatever happens, it is never closed for good: after a minute of quiet somebody gets through', () => {
    const step = fc.record({
      afterMs: fc.nat(90_000),
      verdict: fc.constantFrom('success', 'failure', 'neutral', null),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let circuit = CLOSED;
        let now = 0;
        for (const { afterMs, verdict } of steps) {
          now += afterMs;
          const begun = admit(circuit, now);
          circuit = begun.circuit;
          if (begun.admitted && verdict !== null) circuit = settle(circuit, verdict, now);
        }
        expect(admit(circuit, now + OPEN_FOR_MS).admitted).toBe(true);
      }),
    );
  });
});
