import { describe, expect, test } from 'vitest';
import type { QueuedEmail } from '../../src/domain/email.ts';
import { createEmailSource } from '../../src/workers/email-source.ts';
import { anEmail } from '../support/emails.ts';

/** A queue of `total` emails whose claims are answered when the test says so. */
function aSource(total: number, { batchSize = 10, refillAt = 3, mayClaimMore = (): boolean => true } = {}) {
  let left = total;
  let isStopped = false;
  const claims: (() => void)[] = [];
  const failed: unknown[] = [];
  let failing: Error | null = null;
  const source = createEmailSource({
    batchSize,
    refillAt,
    claim: async (limit) => {
      await new Promise<void>((resolve) => claims.push(resolve));
      if (failing !== null) throw failing;
      const count = Math.min(limit, left);
      left -= count;
      return { emails: Array.from({ length: count }, () => anEmail()), unreadable: 0, limit };
    },
    mayClaimMore,
    isStopped: () => isStopped,
    onClaimed: () => undefined,
    untilOver: async () => true,
    onFailed: (error) => failed.push(error),
  });
  return {
    source,
    claims,
    failed,
    answer: async () => {
      claims.at(-1)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
    stop: () => {
      isStopped = true;
    },
    fail: () => {
      failing = new Error('away');
    },
  };
}
const take = async (source: { next(): Promise<QueuedEmail | null> }, count: number) => {
  for (let n = 0; n < count; n += 1) await source.next();
};

describe('the source of emails', () => {
  test('claims the next batch while half of this one is left', async () => {
    const { source, claims, answer } = aSource(25);
    const first = source.next();
    await answer();
    await first;
    await take(source, 4);
    expect(claims).toHaveLength(1);
    await source.next();
    expect(claims).toHaveLength(2);
    await take(source, 2);
    expect(claims).toHaveLength(2);
  });

  test('claims the sooner the more goes out during a claim, and a whole batch ahead at most', async () => {
    const { source, claims, answer } = aSource(100);
    const first = source.next();
    await answer();
    await first;
    await take(source, 5);
    // All that is left goes out before the second claim is answered.
    await take(source, 4);
    await answer();
    await source.next();
    expect(claims).toHaveLength(3);
    // Nothing goes out during the third: now the fourth waits until only a few are left.
    await answer();
    await take(source, 16);
    expect(claims).toHaveLength(3);
    await source.next();
    expect(claims).toHaveLength(4);
  });

  test('ends after a batch that was not full', async () => {
    const { source, claims, answer } = aSource(4);
    const first = source.next();
    await answer();
    expect(await first).not.toBeNull();
    await take(source, 3);
    expect(await source.next()).toBeNull();
    expect(claims).toHaveLength(1);
  });

  test('asks only once for all who wait', async () => {
    const { source, claims, answer } = aSource(10);
    const waiting = Array.from({ length: 5 }, () => source.next());
    await answer();
    expect((await Promise.all(waiting)).filter((email) => email !== null)).toHaveLength(5);
    expect(claims).toHaveLength(1);
  });

  test('does not claim again when that makes no sense', async () => {
    const { source, claims, answer } = aSource(10, { mayClaimMore: () => false });
    const first = source.next();
    await answer();
    await first;
    await take(source, 9);
    expect(await source.next()).toBeNull();
    expect(claims).toHaveLength(1);
  });

  test('hands out nothing after a stop, and everything back when it closes, also what was still being claimed', async () => {
    const { source, answer, stop } = aSource(30);
    const first = source.next();
    await answer();
    await first;
    await take(source, 7);
    stop();
    expect(await source.next()).toBeNull();
    const closing = source.close();
    await answer();
    expect(await closing).toHaveLength(2 + 10);
  });

  test('ends when a claim fails, and says so', async () => {
    const { source, answer, fail, failed } = aSource(30);
    fail();
    const first = source.next();
    await answer();
    expect(await first).toBeNull();
    expect(failed).toHaveLength(1);
  });

  describe('with an email that was claimed alone', () => {
    const suspect = anEmail({ attempts: 4, maxAttempts: 3 });
    const aSourceWithSuspect = (untilOver: () => Promise<boolean>) => {
      const answers = [[suspect], [anEmail()]];
      const claims: number[] = [];
      const source = createEmailSource({
        batchSize: 10,
        refillAt: 3,
        claim: async (limit) => {
          claims.push(limit);
          return { emails: answers.shift() ?? [], unreadable: 0, limit };
        },
        mayClaimMore: () => true,
        isStopped: () => false,
        onClaimed: () => undefined,
        untilOver,
        onFailed: () => undefined,
      });
      return { source, claims };
    };

    test('claims no other before it is written, and goes on then', async () => {
      let write = (_: boolean) => {};
      const { source, claims } = aSourceWithSuspect(() => new Promise((resolve) => (write = resolve)));
      const [first, second] = [source.next(), source.next()];
      expect(await first).toBe(suspect);
      await new Promise((resolve) => setImmediate(resolve));
      expect(claims).toHaveLength(1);
      write(true);
      expect(await second).toMatchObject({ attempts: 1 });
      expect(claims).toHaveLength(2);
    });

    test('ends the run when it was given back', async () => {
      const { source, claims } = aSourceWithSuspect(async () => false);
      expect(await source.next()).toBe(suspect);
      expect(await source.next()).toBeNull();
      expect(claims).toHaveLength(1);
    });
  });
});
