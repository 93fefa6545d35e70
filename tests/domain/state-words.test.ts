import { describe, expect, it } from 'vitest';
import { drainWords } from '../../src/domain/state-words.ts';
import { anOverview, aThroughput, NOON } from '../support/snapshot.ts';

describe('the words for a queue that clears', () => {
  const MINUTES_AGO_5 = 22;
  /** 10 a minute leave; what came in the last whole bucket came at once. */
  const afterBurst = (enqueued: number, sent = 50) =>
    anOverview({
      counts: { queued: 560, processing: 0, failed: 0, completed: 0 },
      ready: 560,
      throughput: aThroughput(sent, 0).map((bucket, index) => {
        if (index > MINUTES_AGO_5) return { ...bucket, sent: 0 };
        return index === MINUTES_AGO_5 ? { ...bucket, enqueued } : bucket;
      }),
    });

  it('say when, while the queue falls', () => {
    expect(drainWords(afterBurst(10), NOON)).toEqual({ text: 'clears in ~56 min', role: 'ok' });
  });

  it('say under which condition, while it still rises', () => {
    expect(drainWords(afterBurst(560), NOON)).toEqual({
      text: 'clears in ~56 min if no more comes',
      short: 'clears ~56 min if none comes',
      role: 'text',
    });
  });

  it('reckon with nothing more where they say so, whatever came before', () => {
    const burst = afterBurst(560);
    const throughput = burst.throughput.map((bucket) => ({ ...bucket, enqueued: Math.max(25, bucket.enqueued) }));
    expect(drainWords({ ...burst, throughput }, NOON).text).toBe('clears in ~56 min if no more comes');
  });

  it('fit the narrowest panel of the queue for hours', () => {
    expect(drainWords(afterBurst(560, 5), NOON).short?.length).toBeLessThanOrEqual(32);
  });
});
