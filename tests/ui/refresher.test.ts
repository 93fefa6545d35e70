import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRefresher } from '../../src/ui/refresher.ts';

describe('the refresher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start(firstMs: number) {
    let everyMs = firstMs;
    const stopping = new AbortController();
    const reads: { readonly atMs: number; readonly isAsked: boolean }[] = [];
    const began = performance.now();
    const refresher = createRefresher(() => everyMs, stopping.signal);
    const ended = refresher.loop(async (isAsked) => {
      reads.push({ atMs: performance.now() - began, isAsked });
    });
    return {
      refresher,
      ended,
      stop: () => stopping.abort(),
      become: (ms: number) => {
        everyMs = ms;
        refresher.review();
      },
      times: () => reads.map(({ atMs }) => atMs),
      asked: () => reads.map(({ isAsked }) => isAsked),
    };
  }

  it('reads at the beginning, and whenever its interval is over', async () => {
    const { times, asked } = start(5_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(times()).toEqual([0, 5_000, 10_000]);
    expect(asked()).toEqual([true, false, false]);
  });

  it('reads at once when the interval becomes shorter than what is shown is old', async () => {
    const { times, become } = start(60_000);
    await vi.advanceTimersByTimeAsync(50_000);
    become(5_000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(times()).toEqual([0, 50_000, 55_000]);
  });

  it('waits for the rest of a shorter interval when what is shown is newer', async () => {
    const { times, become } = start(60_000);
    await vi.advanceTimersByTimeAsync(2_000);
    become(5_000);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(times()).toEqual([0, 5_000]);
  });

  it('waits longer when the interval becomes longer', async () => {
    const { times, become } = start(5_000);
    await vi.advanceTimersByTimeAsync(4_000);
    become(60_000);
    await vi.advanceTimersByTimeAsync(56_000);
    expect(times()).toEqual([0, 60_000]);
  });

  it('reads at once when asked, everything', async () => {
    const { times, asked, refresher } = start(60_000);
    await vi.advanceTimersByTimeAsync(1_000);
    refresher.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect([times(), asked()]).toEqual([
      [0, 1_000],
      [true, true],
    ]);
  });

  it('ends at once, and leaves no timer', async () => {
    const { ended, stop } = start(60_000);
    await vi.advanceTimersByTimeAsync(1_000);
    stop();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });
});
