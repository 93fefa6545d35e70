import { describe, expect, it } from 'vitest';
import { progressWords, runWords } from '../../src/domain/run-words.ts';

describe('what a run did', () => {
  it.each([
    ['queue-processor', [10, 10, 0], '10 sent'],
    ['queue-processor', [1_200, 1_190, 10], '1,190 sent, 10 failed'],
    ['health-monitor', [4, 4, 0], '4 providers checked'],
    ['health-monitor', [4, 3, 1], '4 providers checked, 1 not healthy'],
    ['quota-sync', [4, 4, 0], '4 providers synced'],
    ['quota-sync', [1, 1, 0], '1 provider synced'],
    ['a-stranger', [3, 1, 2], '3 processed, 2 failed'],
    ['queue-processor', [0, 0, 0], ''],
  ] as const)('of %s with %j reads %j', (worker, [processed, successful, failed], words) => {
    expect(runWords(worker, { processed, successful, failed })).toBe(words);
  });

  it('never calls anything but emails sent', () => {
    for (const worker of ['health-monitor', 'quota-sync'])
      expect(runWords(worker, { processed: 4, successful: 4, failed: 0 })).not.toContain('sent');
  });
});

describe('how far a run is', () => {
  it('says what is sent of what was claimed, what failed, and what is in flight', () => {
    const counts = { processed: 38, successful: 37, failed: 1, claimed: 100, inFlight: 9 };
    expect(progressWords('queue-processor', counts)).toBe('37/100 sent, 1 failed, 9 in flight');
    expect(progressWords('queue-processor', { ...counts, failed: 0, inFlight: 0 })).toBe('37/100 sent');
  });

  it('never speaks of emails where providers are looked at', () => {
    expect(progressWords('health-monitor', { processed: 2, successful: 2, failed: 0 })).toBe('2 providers checked');
  });
});
