import { describe, expect, it } from 'vitest';
import { missedRuns } from '../../src/domain/missed.ts';
import { EXPECTED_SCHEDULES, type ScheduleOverview } from '../../src/domain/schedule.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { aRun, NOON } from '../support/snapshot.ts';

const [processor] = EXPECTED_SCHEDULES;

/** The processor's schedule alone, delivered last so long ago. */
function schedules(lastRunAgoMs: number | null, isPaused = false): ScheduleOverview {
  return {
    schedules: [
      {
        id: processor?.id ?? '',
        cron: processor?.cron ?? '',
        destination: `https://foodshare.club${processor?.path}`,
        isPaused,
        lastRunAtEpochMs: lastRunAgoMs === null ? null : NOON - lastRunAgoMs,
        nextRunAtEpochMs: null,
        lastState: 'success',
      },
    ],
    deadLetters: 0,
    deadLettersTruncated: false,
    skipped: 0,
  };
}

describe('what did not happen', () => {
  it('is a run that was due and left no sign, with how often in a row', () => {
    expect(missedRuns(schedules(10 * MINUTE_MS), [], NOON)).toMatchObject([
      { scheduleId: 'email-queue-processor', dueAtEpochMs: NOON - 2 * MINUTE_MS, times: 4 },
    ]);
  });

  it('is nothing while a delivery may still be on its way', () => {
    expect(missedRuns(schedules(2 * MINUTE_MS), [], NOON)).toEqual([]);
    expect(missedRuns(schedules(2 * MINUTE_MS), [], NOON + 80 * SECOND_MS)).toEqual([]);
    expect(missedRuns(schedules(2 * MINUTE_MS), [], NOON + 91 * SECOND_MS)).toHaveLength(1);
  });

  it('is seen by a run record or another sign of life as well', () => {
    const run = aRun({ startedAtEpochMs: NOON - 2 * MINUTE_MS + SECOND_MS });
    expect(missedRuns(schedules(10 * MINUTE_MS), [run], NOON)).toEqual([]);
    expect(missedRuns(schedules(10 * MINUTE_MS), [], NOON, { 'queue-processor': NOON - MINUTE_MS })).toEqual([]);
  });

  it('is nothing where it is paused, or where nothing was ever seen', () => {
    expect(missedRuns(schedules(10 * MINUTE_MS, true), [], NOON)).toEqual([]);
    expect(missedRuns(schedules(null), [], NOON)).toEqual([]);
  });
});
