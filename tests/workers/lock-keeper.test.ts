import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Renewed } from '../../src/data/queue-lock.ts';
import { systemClock } from '../../src/domain/time.ts';
import { createLockKeeper } from '../../src/workers/lock-keeper.ts';

const OURS: Renewed = { kind: 'ours', announcedPause: null };

describe('keeping the lock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function keep(renew: () => Promise<Renewed>, ttlMs = 300_000) {
    const events: string[] = [];
    let asked = 0;
    const keeper = createLockKeeper({
      lock: {
        renew: () => {
          asked += 1;
          return renew();
        },
      },
      holder: 'worker/host/1/a',
      slot: 1,
      ttlMs,
      clock: systemClock,
      onPause: (pause) => events.push(`pause by ${pause.operator}`),
      onLost: (lock) => events.push(`lost to ${lock?.kind ?? 'silence'}`),
      onFailed: () => events.push('failed'),
    });
    return { keeper, events, asked: () => asked };
  }

  test('renews every five seconds, sooner for a short lock', async () => {
    const long = keep(async () => OURS);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(long.asked()).toBe(4);
    await long.keeper.stop();
    const short = keep(async () => OURS, 3_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(short.asked()).toBe(3);
    await short.keeper.stop();
  });

  test('hears of a pause', async () => {
    const pause = { operator: 'anna', host: 'desk', startedAtEpochMs: 0, reason: '' };
    const { keeper, events } = keep(async () => ({ kind: 'ours', announcedPause: pause }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(events).toEqual(['pause by anna']);
    await keeper.stop();
  });

  test('tells once that the lock is lost, and lets it be', async () => {
    const { keeper, events, asked } = keep(async () => ({ kind: 'lost', lock: { kind: 'free' } }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(events).toEqual(['lost to free']);
    expect(asked()).toBe(1);
    await keeper.stop();
  });

  test('works on while Redis is away, until the lock could be somebody else’s', async () => {
    const { keeper, events } = keep(() => Promise.reject(new Error('away')), 60_000);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(events).not.toContain('lost to silence');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(events.at(-1)).toBe('lost to silence');
    await keeper.stop();
  });
});
