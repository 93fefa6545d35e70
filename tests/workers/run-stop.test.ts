import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRunStop } from '../../src/workers/run-stop.ts';

describe('the stop of a run', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is the first reason that comes', async () => {
    const stop = createRunStop(new AbortController().signal, 1_000);
    expect(stop.reason()).toBeNull();
    stop.stop({ kind: 'leases' });
    stop.stop({ kind: 'told' });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stop.reason()).toEqual({ kind: 'leases' });
    expect(stop.signal.aborted).toBe(true);
    stop.close();
  });

  test('comes by itself when the time is up, and when it is told, also beforehand', async () => {
    const timed = createRunStop(new AbortController().signal, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(timed.reason()).toEqual({ kind: 'time' });
    const told = new AbortController();
    const stop = createRunStop(told.signal, 1_000);
    told.abort();
    expect(stop.reason()).toEqual({ kind: 'told' });
    expect(createRunStop(told.signal, 1_000).reason()).toEqual({ kind: 'told' });
  });

  test('lets wait for what is over already without taking it for a stop', async () => {
    const stop = createRunStop(new AbortController().signal, 60_000);
    const waits = Promise.all([stop.wait(0), stop.wait(-5), stop.wait(20)]);
    await vi.advanceTimersByTimeAsync(20);
    expect(await waits).toEqual([true, true, true]);
    stop.close();
  });

  test('ends every wait', async () => {
    const stop = createRunStop(new AbortController().signal, 60_000);
    const waiting = stop.wait(30_000);
    stop.stop({ kind: 'leases' });
    expect(await waiting).toBe(false);
    expect(await stop.wait(5)).toBe(false);
    stop.close();
  });
});
