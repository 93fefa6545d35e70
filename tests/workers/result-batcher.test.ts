import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EmailResult } from '../../src/domain/email.ts';
import { createResultBatcher } from '../../src/workers/result-batcher.ts';

const result = (n: number): EmailResult => ({ id: String(n), attempt: 1, outcome: 'sent', provider: 'brevo' });
const nothing = { applied: [], notOurs: [], deadLettered: [], rejected: [] };

describe('the result batcher', () => {
  let writes: { at: number; ids: string[] }[] = [];
  let broken: (ids: readonly string[]) => boolean = () => false;
  let tookMs = 5;
  let startedAt = 0;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    writes = [];
    broken = () => false;
    tookMs = 5;
    startedAt = performance.now();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const make = () =>
    createResultBatcher({
      write: async (results) => {
        const ids = results.map(({ id }) => id);
        writes.push({ at: performance.now() - startedAt, ids });
        await new Promise((resolve) => setTimeout(resolve, tookMs));
        if (broken(ids)) throw new Error('The database is away.');
        return nothing;
      },
      onWritten: () => undefined,
      onFailed: () => undefined,
    });
  const sizes = () => writes.map(({ ids }) => ids.length);

  test('lets a result wait 50 ms at most', async () => {
    const batcher = make();
    batcher.add(result(1));
    await vi.advanceTimersByTimeAsync(20);
    batcher.add(result(2));
    await vi.advanceTimersByTimeAsync(29);
    expect(writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(writes).toMatchObject([{ ids: ['1', '2'] }]);
  });

  test('writes 25 at once, and more at a time when they come fast', async () => {
    const batcher = make();
    for (let n = 0; n < 25; n += 1) batcher.add(result(n));
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([25]);
    for (let n = 0; n < 120; n += 1) batcher.add(result(n));
    const drained = batcher.drain(1_000);
    await vi.advanceTimersByTimeAsync(100);
    await drained;
    expect(sizes()).toEqual([25, 120]);
  });

  test('waits longer when results trickle in one by one, but never beyond 250 ms', async () => {
    const batcher = make();
    for (let n = 0; n < 100; n += 1) {
      batcher.add(result(n));
      await vi.advanceTimersByTimeAsync(30);
    }
    const drained = batcher.drain(1_000);
    await vi.advanceTimersByTimeAsync(300);
    await drained;
    expect(sizes().reduce((sum, size) => sum + size, 0)).toBe(100);
    expect(writes.length).toBeLessThanOrEqual(15);
    expect(writes.length).toBeGreaterThanOrEqual(11);
  });

  test('writes one batch at a time', async () => {
    tookMs = 500;
    const batcher = make();
    batcher.add(result(1));
    await vi.advanceTimersByTimeAsync(60);
    for (let n = 2; n < 60; n += 1) batcher.add(result(n));
    await vi.advanceTimersByTimeAsync(300);
    expect(sizes()).toEqual([1]);
    await vi.advanceTimersByTimeAsync(300);
    expect(sizes()).toEqual([1, 58]);
  });

  test('repeats what failed, with the same results, and lets nothing start meanwhile', async () => {
    broken = () => writes.length < 3;
    const batcher = make();
    batcher.add(result(1));
    await vi.advanceTimersByTimeAsync(60);
    let isReady = false;
    void batcher.ready(new AbortController().signal).then(() => {
      isReady = true;
    });
    await vi.advanceTimersByTimeAsync(150);
    expect(isReady).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(writes.map(({ ids }) => ids)).toEqual([['1'], ['1'], ['1']]);
    expect(isReady).toBe(true);
  });

  test('finds its way around a result that the database chokes on', async () => {
    broken = (ids) => ids.includes('13');
    const batcher = make();
    for (let n = 0; n < 40; n += 1) batcher.add(result(n));
    await vi.advanceTimersByTimeAsync(60_000);
    const written = new Set(writes.filter(({ ids }) => !ids.includes('13')).flatMap(({ ids }) => ids));
    expect(written.size).toBe(39);
    const left = batcher.drain(1_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await left).map(({ id }) => id)).toEqual(['13']);
  });

  test('drains at once, and says what it could not write when the time is over', async () => {
    const batcher = make();
    batcher.add(result(1));
    const drained = batcher.drain(1_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(await drained).toEqual([]);
    expect(writes[0]?.at).toBeLessThan(10);

    broken = () => true;
    const other = make();
    other.add(result(2));
    const given = other.drain(1_000);
    await vi.advanceTimersByTimeAsync(7_000);
    expect((await given).map(({ id }) => id)).toEqual(['2']);
  });

  test('does not keep anybody waiting when the run stops', async () => {
    broken = () => true;
    const batcher = make();
    batcher.add(result(1));
    await vi.advanceTimersByTimeAsync(60);
    const stop = new AbortController();
    const waiting = batcher.ready(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    const drained = batcher.drain(0);
    await vi.advanceTimersByTimeAsync(10_000);
    await drained;
  });
});
