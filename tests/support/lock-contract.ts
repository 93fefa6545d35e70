/** What the queue lock promises, whatever Redis it stands in. */
import { beforeEach, expect, test } from 'vitest';
import { createQueueLock, type QueueLock } from '../../src/data/queue-lock.ts';
import type { RedisConnection } from '../../src/data/redis.ts';
import { formatPause, type Pause } from '../../src/domain/lock.ts';
import { systemClock } from '../../src/domain/time.ts';

const LOCK = 'email:queue:lock';
const ANNOUNCED = 'email:queue:pause';
const worker = (token: string) => `worker/host/42/${token}`;
const MINUTE = 60_000;

export function lockContract(connection: () => RedisConnection): void {
  const redis = () => connection().client;
  const lock = (slots = 1): QueueLock => createQueueLock(redis(), systemClock, slots);
  const by = (operator: string, reason = 'resend outage'): Pause => ({
    operator,
    host: 'desk',
    startedAtEpochMs: 1_795_000_000_000,
    reason,
  });

  beforeEach(async () => {
    await redis().flushall();
  });

  test('is held by one worker at a time, for its TTL', async () => {
    expect(await lock().acquire(worker('a'), MINUTE)).toEqual({ kind: 'acquired', slot: 1, takenOver: null });
    expect(await lock().acquire(worker('b'), MINUTE)).toMatchObject({
      kind: 'busy',
      lock: { kind: 'worker', host: 'host', pid: 42, token: 'a', expiresAtEpochMs: expect.any(Number) },
    });
    const ttlMs = await redis().pttl(LOCK);
    expect(ttlMs).toBeGreaterThan(MINUTE - 5_000);
    expect(ttlMs).toBeLessThanOrEqual(MINUTE);
  });

  test('is renewed and given back by its holder only', async () => {
    await lock().acquire(worker('a'), MINUTE);
    expect(await lock().renew(worker('a'), 1, 5 * MINUTE)).toEqual({ kind: 'ours', announcedPause: null });
    expect(await redis().pttl(LOCK)).toBeGreaterThan(4 * MINUTE);
    expect(await lock().renew(worker('b'), 1, MINUTE)).toMatchObject({ kind: 'lost', lock: { kind: 'worker' } });
    expect(await lock().release(worker('b'))).toBe(false);
    expect(await redis().get(LOCK)).toBe(worker('a'));
    expect(await lock().release(worker('a'))).toBe(true);
    expect(await redis().get(LOCK)).toBeNull();
    expect(await lock().renew(worker('a'), 1, MINUTE)).toEqual({ kind: 'lost', lock: { kind: 'free' } });
  });

  test('is taken over from a worker of ours that has been silent for too long, and from nobody else', async () => {
    const SILENT_MS = 400;
    const impatient = (slots = 1) => createQueueLock(redis(), systemClock, slots, SILENT_MS);
    const silence = () => new Promise((resolve) => setTimeout(resolve, SILENT_MS + 50));

    await impatient().acquire(worker('dead'), 5 * MINUTE);
    const first = await impatient().acquire(worker('b'), 5 * MINUTE);
    expect(first).toMatchObject({ kind: 'busy', askAgainInMs: SILENT_MS });
    await silence();
    await impatient().renew(worker('dead'), 1, 5 * MINUTE);
    expect(await impatient().acquire(worker('b'), 5 * MINUTE)).toMatchObject({ kind: 'busy' });
    await silence();
    expect(await impatient().acquire(worker('b'), 5 * MINUTE)).toMatchObject({
      kind: 'acquired',
      slot: 1,
      takenOver: { kind: 'worker', token: 'dead' },
    });
    expect(await impatient().renew(worker('dead'), 1, 5 * MINUTE)).toMatchObject({ kind: 'lost' });
    expect(await impatient().release(worker('dead'))).toBe(false);
    await impatient().release(worker('b'));

    for (const value of ['6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', 'pause/anna@desk/1795000000000/outage']) {
      await redis().set(LOCK, value, { ex: 300 });
      expect(await impatient().acquire(worker('c'), MINUTE)).toMatchObject({ kind: 'busy', askAgainInMs: null });
      await silence();
      expect(await impatient().acquire(worker('c'), MINUTE)).toMatchObject({ kind: 'busy', askAgainInMs: null });
    }
    await redis().del(LOCK);

    await impatient(2).acquire(worker('dead'), 5 * MINUTE);
    await impatient(2).acquire(worker('lives'), 5 * MINUTE);
    await impatient(2).acquire(worker('d'), 5 * MINUTE);
    await silence();
    await impatient(2).renew(worker('lives'), 2, 5 * MINUTE);
    expect(await impatient(2).acquire(worker('d'), 5 * MINUTE)).toMatchObject({ kind: 'acquired', slot: 1 });
    expect(await impatient(2).acquire(worker('e'), 5 * MINUTE)).toMatchObject({ kind: 'busy' });
  });

  test('understands a legacy worker’s bare value as locked by an unknown worker', async () => {
    await redis().set(LOCK, '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', { ex: 300 });
    expect(await lock().acquire(worker('a'), MINUTE)).toMatchObject({
      kind: 'busy',
      lock: { kind: 'unknown-holder', value: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b' },
    });
  });

  test('counts an empty value as free', async () => {
    await redis().set(LOCK, '');
    expect(await lock().acquire(worker('a'), MINUTE)).toMatchObject({ kind: 'acquired' });
  });

  test('has as many places as slots, and no more', async () => {
    const acquired = [];
    for (const token of ['a', 'b', 'c', 'd']) acquired.push(await lock(3).acquire(worker(token), MINUTE));
    expect(acquired.map((each) => (each.kind === 'acquired' ? each.slot : each.kind))).toEqual([1, 2, 3, 'busy']);
    expect(await redis().get(`${LOCK}:3`)).toBe(worker('c'));
    await lock(3).release(worker('b'));
    expect(await lock(3).acquire(worker('d'), MINUTE)).toEqual({ kind: 'acquired', slot: 2, takenOver: null });
  });

  test('is given to one of many who ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, (_, n) => lock(2).acquire(worker(String(n)), MINUTE)));
    expect(asked.filter(({ kind }) => kind === 'acquired')).toHaveLength(2);
  });

  test('a pause takes a free lock at once, keeps it until its deadline, and keeps every worker out', async () => {
    expect(await lock().pause(by('anna'), { forMs: 30 * MINUTE })).toEqual({ kind: 'paused' });
    expect(await redis().get(LOCK)).toBe('pause/anna@desk/1795000000000/resend%20outage');
    expect(await redis().pttl(LOCK)).toBeGreaterThan(29 * MINUTE);
    expect(await redis().get(ANNOUNCED)).toBeNull();
    expect(await lock().acquire(worker('a'), MINUTE)).toMatchObject({
      kind: 'busy',
      lock: { kind: 'paused', operator: 'anna', reason: 'resend outage' },
    });
    expect(await redis().set(LOCK, 'legacy', { nx: true, ex: 300 })).toBeNull();
  });

  test('a pause waits for a worker, who hears of it and hands the lock over when it ends', async () => {
    await lock().acquire(worker('a'), MINUTE);
    expect(await lock().pause(by('anna'), { forMs: 30 * MINUTE })).toMatchObject({
      kind: 'waiting',
      holders: 1,
      holder: { kind: 'worker', token: 'a' },
    });
    expect(await redis().get(LOCK)).toBe(worker('a'));
    expect(await redis().pttl(ANNOUNCED)).toBeGreaterThan(29 * MINUTE);
    expect(await lock().renew(worker('a'), 1, MINUTE)).toMatchObject({
      kind: 'ours',
      announcedPause: { operator: 'anna', reason: 'resend outage' },
    });
    expect(await lock().acquire(worker('b'), MINUTE)).toMatchObject({ kind: 'busy', lock: { kind: 'paused' } });
    expect(await lock().advance(formatPause(by('anna')))).toMatchObject({ kind: 'waiting' });

    expect(await lock().release(worker('a'))).toBe(true);
    expect(await redis().get(LOCK)).toBe(formatPause(by('anna')));
    expect(await redis().pttl(LOCK)).toBeGreaterThan(29 * MINUTE);
    expect(await redis().get(ANNOUNCED)).toBeNull();
    expect(await lock().advance(formatPause(by('anna')))).toEqual({ kind: 'paused' });
  });

  test('a worker that comes after a legacy one ended completes the pause that still waits', async () => {
    await redis().set(LOCK, 'legacy', { ex: 300 });
    await lock().pause(by('anna'), { forMs: 30 * MINUTE });
    await redis().del(LOCK);
    expect(await lock().acquire(worker('a'), MINUTE)).toMatchObject({ kind: 'busy', lock: { kind: 'paused' } });
    expect(await redis().get(LOCK)).toBe(formatPause(by('anna')));
    expect(await redis().get(ANNOUNCED)).toBeNull();
  });

  test('a pause takes every slot, and waits for every worker in one', async () => {
    await lock(3).acquire(worker('a'), MINUTE);
    await lock(3).acquire(worker('b'), MINUTE);
    expect(await lock(3).pause(by('anna'), { forMs: 30 * MINUTE })).toMatchObject({ kind: 'waiting', holders: 2 });
    expect(await redis().get(`${LOCK}:3`)).toBe(formatPause(by('anna')));
    await lock(3).release(worker('a'));
    expect(await lock(3).advance(formatPause(by('anna')))).toMatchObject({ kind: 'waiting', holders: 1 });
    await lock(3).release(worker('b'));
    expect(await redis().mget(LOCK, `${LOCK}:2`, `${LOCK}:3`)).toEqual(Array(3).fill(formatPause(by('anna'))));
    expect(await redis().get(ANNOUNCED)).toBeNull();
  });

  test('a console that knows of one slot waits for a worker in the fourth', async () => {
    await redis().set(`${LOCK}:4`, worker('d'), { px: MINUTE });
    expect(await lock(1).pause(by('anna'), { forMs: 30 * MINUTE })).toMatchObject({ kind: 'waiting', holders: 1 });
    await lock(4).release(worker('d'));
    expect(await lock(1).advance(formatPause(by('anna')))).toEqual({ kind: 'paused' });
    expect(await lock(4).acquire(worker('e'), MINUTE)).toMatchObject({ kind: 'busy', lock: { kind: 'paused' } });
  });

  test('the lock is only taken away from a worker with force, and that worker learns who has it', async () => {
    await lock().acquire(worker('a'), MINUTE);
    await lock().pause(by('anna'), { forMs: 30 * MINUTE });
    expect(await lock().advance(formatPause(by('anna')), { force: true })).toEqual({ kind: 'paused' });
    expect(await lock().renew(worker('a'), 1, MINUTE)).toMatchObject({ kind: 'lost', lock: { kind: 'paused' } });
    expect(await lock().release(worker('a'))).toBe(false);
    expect(await redis().get(LOCK)).toBe(formatPause(by('anna')));
  });

  test('a second pause leaves the first as it is', async () => {
    await lock().pause(by('anna'), { forMs: 30 * MINUTE });
    expect(await lock().pause(by('bob', 'quota'), { forMs: 5 * MINUTE })).toMatchObject({
      kind: 'exists',
      pause: { operator: 'anna', value: formatPause(by('anna')) },
    });
    expect(await redis().get(LOCK)).toBe(formatPause(by('anna')));
  });

  test('a pause is prolonged, given another reason, and never shortened', async () => {
    await lock().pause(by('anna'), { forMs: 30 * MINUTE });
    const standing = (await lock().state()).pause;
    if (standing === null) throw new Error('There is no pause.');
    const longer = await lock().extend(standing, { forMs: 60 * MINUTE, reason: 'still down' });
    expect(longer).toMatchObject({ operator: 'anna', reason: 'still down', startedAtEpochMs: 1_795_000_000_000 });
    expect(await redis().pttl(LOCK)).toBeGreaterThan(59 * MINUTE);
    if (longer === null) throw new Error('The pause is gone.');
    await lock().extend(longer, { forMs: MINUTE });
    expect(await redis().pttl(LOCK)).toBeGreaterThan(59 * MINUTE);
    expect(await lock().extend(standing, { forMs: MINUTE })).toBeNull();
  });

  test('exactly the pause that was seen is lifted, whether it holds or still waits', async () => {
    await lock(2).acquire(worker('a'), MINUTE);
    await lock(2).pause(by('anna'), { forMs: 30 * MINUTE });
    expect(await lock(2).resume(formatPause(by('bob')))).toBe(false);
    expect(await lock(2).resume(formatPause(by('anna')))).toBe(true);
    expect(await lock(2).state()).toMatchObject({ announcedPause: null, pause: null, held: [{ slot: 1 }] });
    expect(await lock(2).advance(formatPause(by('anna')))).toEqual({ kind: 'gone' });
    expect(await lock(2).resume(formatPause(by('anna')))).toBe(false);
  });

  test('the state names every slot that is held, the pause and until when', async () => {
    await lock(4).acquire(worker('a'), MINUTE);
    await lock(4).pause(by('anna'), { forMs: 30 * MINUTE });
    const { held, announcedPause, pause } = await lock(4).state();
    expect(held.map(({ slot, lock: { kind } }) => [slot, kind])).toEqual([
      [1, 'worker'],
      [2, 'paused'],
      [3, 'paused'],
      [4, 'paused'],
    ]);
    expect(announcedPause).toMatchObject({ operator: 'anna', expiresAtEpochMs: expect.any(Number) });
    expect(pause).toEqual(announcedPause);
  });

  test('a pause that somebody wrote in a way of their own is lifted all the same', async () => {
    const value = 'pause/anna@desk/17/100% down%';
    await redis().set(LOCK, value, { ex: 300 });
    const { pause } = await lock().state();
    expect(pause).toMatchObject({ value, operator: 'anna', reason: '100% down%' });
    expect(await lock().resume(value)).toBe(true);
    expect(await redis().get(LOCK)).toBeNull();
  });

  test('a pause ends by itself', async () => {
    await lock().pause(by('anna'), { forMs: 100 });
    await expect.poll(() => redis().get(LOCK), { timeout: 3_000 }).toBeNull();
    expect(await lock().acquire(worker('a'), MINUTE)).toMatchObject({ kind: 'acquired' });
  });

  test('an announced pause that nobody could take ends by itself', async () => {
    await redis().set(LOCK, 'legacy', { ex: 300 });
    await lock().pause(by('anna'), { forMs: 100 });
    await expect.poll(() => redis().get(ANNOUNCED), { timeout: 3_000 }).toBeNull();
    expect(await lock().advance(formatPause(by('anna')))).toEqual({ kind: 'gone' });
    expect(await redis().get(LOCK)).toBe('legacy');
  });
}
