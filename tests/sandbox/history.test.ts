import { expect, test } from 'vitest';
import { DAY_MS, utcDay } from '../../src/domain/time.ts';
import { makeHistory } from '../../src/sandbox/history.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { allLimits } from '../../src/sandbox/scenario-engine.ts';
import { SCENARIO_TABLE } from '../../src/sandbox/scenarios.ts';

const nowEpochMs = Date.parse('2026-11-23T09:13:27Z');
const make = (seed: string) =>
  makeHistory({ nowEpochMs, random: seededRandom(seed), limits: allLimits(SCENARIO_TABLE.calm) });

test('a past is the same for the same seed', () => {
  expect(make('a')).toEqual(make('a'));
  expect(make('a').emails[0]).not.toEqual(make('b').emails[0]);
});

test('it lies within the last day, and every email was sent after it was queued', () => {
  for (const { createdAtEpochMs, sentAtEpochMs } of make('a').emails) {
    expect(createdAtEpochMs).toBeGreaterThan(nowEpochMs - DAY_MS);
    expect(sentAtEpochMs).toBeGreaterThan(createdAtEpochMs);
    expect(sentAtEpochMs).toBeLessThan(nowEpochMs);
  }
});

test('its metrics tell what its emails did', () => {
  const { emails, metrics, sentToday } = make('a');
  const last = JSON.parse(metrics.at(-1)?.json ?? '') as { daily_quota_used: number };
  const limit = Object.values(allLimits(SCENARIO_TABLE.calm)).reduce((sum, { daily }) => sum + daily, 0);
  expect(sentToday).toBe(emails.filter((email) => utcDay(email.sentAtEpochMs) === '2026-11-23').length);
  expect(last.daily_quota_used).toBeCloseTo((sentToday / limit) * 100, 1);
  expect(new Set(emails.map(({ id }) => id)).size).toBe(emails.length);
});
