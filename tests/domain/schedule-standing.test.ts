import { describe, expect, it } from 'vitest';
import { cronIntervalMs } from '../../src/domain/cron-interval.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { missedRuns } from '../../src/domain/missed.ts';
import type { Schedule, ScheduleOverview } from '../../src/domain/schedule.ts';
import { wantedSchedules } from '../../src/domain/schedule-plan.ts';
import { callIntervalMs, scheduleMode, scheduleStandings } from '../../src/domain/schedule-standing.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { anOverview, aRun, aSnapshot, NOON } from '../support/snapshot.ts';

const BASE = 'https://foodshare.club';

function deployed(oneTick: boolean, changes: Partial<Schedule> = {}): readonly Schedule[] {
  return wantedSchedules(BASE, oneTick).map(({ id, cron, destination, method, retries }) => ({
    id,
    cron,
    destination,
    method,
    retries,
    isPaused: false,
    lastRunAtEpochMs: NOON - MINUTE_MS,
    nextRunAtEpochMs: NOON + MINUTE_MS,
    lastState: 'success',
    ...changes,
  }));
}
const three = deployed(false);
const [tick] = deployed(true) as [Schedule];
const [processor] = three as [Schedule];
const told = (schedules: readonly Schedule[]) =>
  scheduleStandings(schedules).map((each) =>
    each.kind === 'missing' ? `missing ${each.needed.id}` : `${each.kind} ${each.schedule.id}`,
  );
const overview = (schedules: readonly Schedule[]): ScheduleOverview => ({
  schedules,
  deadLetters: 0,
  deadLettersTruncated: false,
  skipped: 0,
});

describe('how schedules stand to those that should be', () => {
  it('expects the three where there is no tick', () => {
    expect(told(three)).toEqual(three.map(({ id }) => `expected ${id}`));
    expect(told([])).toEqual(three.map(({ id }) => `missing ${id}`));
    expect(told(three.slice(1))[0]).toBe('missing email-queue-processor');
  });

  it('misses none of the three where the one tick runs what is due', () => {
    expect(scheduleMode([tick])).toBe('one-tick');
    expect(told([tick])).toEqual(['expected email-tick']);
  });

  it('says which schedules call what another calls already', () => {
    expect(told([processor, tick])).toEqual(['expected email-tick', 'twice email-queue-processor']);
    expect(told([...three, tick])).toEqual([...three.map(({ id }) => `expected ${id}`), 'twice email-tick']);
  });

  it('takes a schedule with an id of its own for the one that it stands in for', () => {
    const own = { ...processor, id: 'scd_7Yx' };
    expect(told([own, ...three.slice(1)])).toEqual([
      'expected email-health-monitor',
      'expected email-quota-sync',
      'instead scd_7Yx',
    ]);
  });

  it('leaves what calls somebody else alone', () => {
    const foreign = { ...processor, id: 'backup', destination: 'https://elsewhere.example/backup' };
    expect(told([...three, foreign]).at(-1)).toBe('foreign backup');
  });

  it('says what differs', () => {
    const odd = { ...processor, cron: '*/10 * * * *', destination: `${BASE}/x`, method: 'GET' };
    expect(scheduleStandings([odd])[0]).toMatchObject({
      differs: [
        'runs at */10 * * * *, expected */2 * * * *',
        'calls /x, expected /api/email/worker/queue-processor',
        'calls by GET, expected POST',
      ],
    });
  });
});

describe('how often a worker is called', () => {
  it('goes by the expression that is deployed', () => {
    expect(callIntervalMs('queue-processor', three)).toBe(2 * MINUTE_MS);
    expect(callIntervalMs('queue-processor', [{ ...processor, cron: '*/10 * * * *' }])).toBe(10 * MINUTE_MS);
    expect(callIntervalMs('queue-processor', [{ ...processor, isPaused: true }])).toBeNull();
  });

  it('is by each worker’s own times where one tick calls all', () => {
    expect(callIntervalMs('queue-processor', [tick])).toBe(2 * MINUTE_MS);
    expect(callIntervalMs('health-monitor', [tick])).toBe(5 * MINUTE_MS);
    expect(callIntervalMs('quota-sync', [tick])).toBe(HOUR_MS);
    expect(callIntervalMs('health-monitor', [{ ...tick, cron: '*/10 * * * *' }])).toBe(10 * MINUTE_MS);
  });

  it.each([
    ['* * * * *', MINUTE_MS],
    ['*/2 * * * *', 2 * MINUTE_MS],
    ['0 * * * *', HOUR_MS],
    ['0 */6 * * *', 6 * HOUR_MS],
    ['*/7 * * * *', null],
    ['*/0 * * * *', null],
    ['5 * * * *', null],
    ['0 9 * * 1', null],
    ['CRON_TZ=Europe/Berlin */2 * * * *', null],
    ['', null],
  ])('reads %j', (cron, interval) => {
    expect(cronIntervalMs(cron)).toBe(interval);
  });
});

describe('what was due and not seen', () => {
  const missed = (schedules: readonly Schedule[], runs = [aRun({ startedAtEpochMs: NOON - 11 * MINUTE_MS })]) =>
    missedRuns(overview(schedules), runs, NOON).map(({ scheduleId, dueAtEpochMs, times }) => [
      scheduleId,
      (NOON - dueAtEpochMs) / MINUTE_MS,
      times,
    ]);

  it('is nothing while QStash delivers', () => {
    expect(missed(three)).toEqual([]);
    expect(missed([tick])).toEqual([]);
  });

  it('is the processor’s schedule when it was not delivered', () => {
    expect(missed([{ ...processor, lastRunAtEpochMs: NOON - 11 * MINUTE_MS }])).toEqual([
      ['email-queue-processor', 2, 4],
    ]);
  });

  it('is the tick when no worker was seen', () => {
    const silent = { ...tick, lastRunAtEpochMs: NOON - 11 * MINUTE_MS };
    expect(missed([silent])).toEqual([['email-tick', 2, 4]]);
    expect(missed([silent], [aRun({ worker: 'quota-sync', startedAtEpochMs: NOON - MINUTE_MS })])).toEqual([]);
  });

  it('is nothing for what is paused, or due at irregular times', () => {
    expect(missed([{ ...tick, lastRunAtEpochMs: 1, isPaused: true }])).toEqual([]);
    expect(missed([{ ...tick, lastRunAtEpochMs: 1, cron: '3 7 * * 1' }])).toEqual([]);
  });
});

describe('the verdict on the one tick', () => {
  const silentSince = (minutes: number) => ({
    runs: loaded({ runs: [aRun({ startedAtEpochMs: NOON - minutes * MINUTE_MS })], skipped: 0 }, NOON),
    queue: loaded(anOverview({ lastCompletedAtEpochMs: null }), NOON),
  });
  const codes = (schedules: readonly Schedule[], minutes = 1) =>
    verdictOf(aSnapshot({ ...silentSince(minutes), schedules: loaded(overview(schedules), NOON) })).reasons.map(
      ({ code }) => code,
    );

  it('takes its firing for a sign of the processor', () => {
    expect(codes([tick], 30)).toEqual([]);
    expect(codes([{ ...tick, lastRunAtEpochMs: NOON - 30 * MINUTE_MS }], 30)).toEqual(['no-processor-run']);
  });

  it('waits as long as the deployed expression asks for', () => {
    const slow = { ...tick, cron: '*/15 * * * *', lastRunAtEpochMs: NOON - 30 * MINUTE_MS };
    expect(codes([slow], 30)).toEqual([]);
  });

  it('warns of a paused or failing tick, and not of paused schedules that it replaces', () => {
    expect(codes([{ ...tick, isPaused: true }])).toEqual(['schedule-paused']);
    expect(codes([{ ...tick, lastState: 'fail' }])).toEqual(['schedule-failing']);
    expect(codes([tick, ...deployed(false, { isPaused: true })])).toEqual([]);
  });
});
