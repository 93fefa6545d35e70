import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/domain/time.ts';
import { createLeases } from '../../src/workers/leases.ts';
import { anEmail } from '../support/emails.ts';

describe('the leases of a run', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function some({ renew = async (ids: readonly string[]) => ids } = {}) {
    const asked: (readonly string[])[] = [];
    const lost: string[] = [];
    const failures: unknown[] = [];
    const leases = createLeases({
      queue: {
        renew: ({ ids }) => {
          asked.push(ids);
          return renew(ids);
        },
      },
      worker: 'w',
      leaseSeconds: 30,
      clock: systemClock,
      onFailed: (error) => failures.push(error),
      onLost: (ids) => lost.push(...ids),
    });
    const emails = [anEmail({ id: 'a' }), anEmail({ id: 'b' })];
    leases.add(emails, Date.now());
    return { leases, asked, lost, failures };
  }

  test('are renewed every fifth of their time, for as long as there are any', async () => {
    const { leases, asked } = some();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(asked).toEqual([['a', 'b']]);
    leases.drop(['a']);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(asked.at(-1)).toEqual(['b']);
    leases.drop(['b']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
    await leases.stop();
  });

  test('hold a row for as long as was asked, and not a moment longer', async () => {
    const { leases } = some({ renew: () => Promise.reject(new Error('away')) });
    expect(leases.hold('a', 15_000)).toBe(true);
    expect(leases.hold('unknown', 0)).toBe(false);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(leases.hold('a', 15_000)).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(leases.hold('a', 15_000)).toBe(false);
    await leases.stop();
  });

  test('count from before the renewal was asked for', async () => {
    const { leases } = some({
      renew: (ids) => new Promise((resolve) => setTimeout(() => resolve(ids), 4_000)),
    });
    await vi.advanceTimersByTimeAsync(10_001);
    expect(leases.hold('a', 25_000)).toBe(true);
    expect(leases.hold('a', 27_000)).toBe(false);
    await leases.stop();
  });

  test('that went to somebody else are told and no longer held', async () => {
    const { leases, lost } = some({ renew: async (ids) => ids.filter((id) => id !== 'a') });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(lost).toEqual(['a']);
    expect(leases.hold('a', 0)).toBe(false);
    expect(leases.held()).toEqual(['b']);
    await leases.stop();
  });

  test('are asked for again soon when renewing fails', async () => {
    const { leases, asked, failures } = some({ renew: () => Promise.reject(new Error('away')) });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked.length).toBeGreaterThanOrEqual(5);
    expect(failures.length).toBe(asked.length);
    await leases.stop();
  });

  test('are not renewed after the end, which waits for a renewal under way', async () => {
    const { leases, asked } = some({
      renew: (ids) => new Promise((resolve) => setTimeout(() => resolve(ids), 1_000)),
    });
    await vi.advanceTimersByTimeAsync(6_500);
    let isOver = false;
    const stopping = leases.stop().then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(400);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await stopping;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });
});
