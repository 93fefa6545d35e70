import { describe, expect, it } from 'vitest';
import { planLines } from '../../src/commands/schedules-sync.ts';
import type { Schedule } from '../../src/domain/schedule.ts';
import {
  isUpToDate,
  planSync,
  type SyncPlan,
  wantedSchedules,
  workersCalledBy,
} from '../../src/domain/schedule-plan.ts';

const BASE = 'https://foodshare.club';

function deployed(oneTick = false): readonly Schedule[] {
  return wantedSchedules(BASE, oneTick).map(({ id, cron, destination, method, retries }) => ({
    id,
    cron,
    destination,
    method,
    retries,
    isPaused: false,
    lastRunAtEpochMs: null,
    nextRunAtEpochMs: null,
    lastState: 'unknown',
  }));
}
const changed = (id: string, changes: Partial<Schedule>) =>
  deployed().map((schedule) => (schedule.id === id ? { ...schedule, ...changes } : schedule));
const kinds = (current: readonly Schedule[], oneTick = false) =>
  planSync(current, BASE, oneTick).changes.map((change) =>
    'schedule' in change ? `${change.kind} ${change.schedule.id}` : `${change.kind} ${change.id}`,
  );

describe('the plan of schedules sync', () => {
  it('creates the three schedules where there are none', () => {
    expect(kinds([])).toEqual([
      'create email-queue-processor',
      'create email-health-monitor',
      'create email-quota-sync',
    ]);
  });

  it('changes nothing after it was carried out', () => {
    expect(isUpToDate(planSync(deployed(), BASE, false))).toBe(true);
    expect(isUpToDate(planSync(deployed(true), BASE, true))).toBe(true);
  });

  it('says what differs, and that a paused schedule stays paused', () => {
    const current = changed('email-quota-sync', { retries: 3, cron: '5 * * * *', isPaused: true });
    expect(planSync(current, BASE, false).changes[2]).toMatchObject({
      kind: 'update',
      isPaused: true,
      changes: ['cron 5 * * * * → 0 * * * *', 'retries 3 → 1'],
    });
  });

  it('moves schedules to another address', () => {
    const plan = planSync(deployed(), 'https://new.example.org', false);
    expect(plan.changes.every(({ kind }) => kind === 'update')).toBe(true);
  });

  it('replaces three schedules by one tick, and back', () => {
    expect(kinds(deployed(), true)).toEqual([
      'create email-tick',
      'remove email-queue-processor',
      'remove email-health-monitor',
      'remove email-quota-sync',
    ]);
    expect(kinds(deployed(true)).at(-1)).toBe('remove email-tick');
  });

  it('creates paused what replaces only paused schedules', () => {
    const paused = (oneTick: boolean) => deployed(oneTick).map((schedule) => ({ ...schedule, isPaused: true }));
    const created = (plan: SyncPlan) =>
      plan.changes.flatMap((change) => (change.kind === 'create' ? [change.isPaused] : []));
    expect(created(planSync(paused(false), BASE, true))).toEqual([true]);
    expect(created(planSync(paused(false).slice(1), BASE, true))).toEqual([true]);
    expect(created(planSync(paused(true), BASE, false))).toEqual([true, true, true]);
    expect(planSync(paused(false), BASE, true).woken).toEqual([]);
    for (const current of [[], deployed()]) expect(created(planSync(current, BASE, true))).toEqual([false]);
    // One that is missing beside others of its mode is no replacement.
    expect(created(planSync(paused(false).slice(1), BASE, false))).toEqual([false]);
  });

  it('goes on paused where a replacement was interrupted', () => {
    const [first] = deployed();
    if (first === undefined) throw new Error('There is no schedule.');
    const half = [...deployed(true), first].map((schedule) => ({ ...schedule, isPaused: true }));
    expect(planSync(half, BASE, false).changes).toMatchObject([
      { kind: 'keep', isPaused: true },
      { kind: 'create', isPaused: true },
      { kind: 'create', isPaused: true },
      { kind: 'remove', id: 'email-tick' },
    ]);
  });

  it('says which paused ones the tick calls again, where others are active', () => {
    const plan = planSync(changed('email-health-monitor', { isPaused: true }), BASE, true);
    expect(plan.changes[0]).toMatchObject({ kind: 'create', isPaused: false });
    expect(plan.woken).toEqual(['email-health-monitor']);
    const line = '! email-health-monitor is paused, but email-tick starts active and calls its worker again';
    expect(planLines(plan)).toContain(line);
    expect(planSync(changed('email-health-monitor', { isPaused: true }), BASE, false).woken).toEqual([]);
  });

  it('knows the cost and what fits the free tier', () => {
    expect(planSync([], BASE, false)).toMatchObject({ messagesPerDay: 1_032, fitsFreeTier: false });
    expect(planSync([], BASE, true)).toMatchObject({ messagesPerDay: 720, fitsFreeTier: true });
  });

  it('leaves other schedules alone, and names those that call our endpoints', () => {
    const [first] = deployed();
    if (first === undefined) throw new Error('There is no schedule.');
    const stranger = { ...first, id: 'made-by-hand' };
    const other = { ...first, id: 'backup', destination: 'https://foodshare.club/api/backup' };
    const plan = planSync([...deployed(), stranger, other], BASE, false);
    expect(plan.strangers.map(({ id }) => id)).toEqual(['made-by-hand']);
    expect(isUpToDate(plan)).toBe(true);
  });
});

describe('the workers that QStash calls', () => {
  it('are those of active schedules, by path', () => {
    const current = changed('email-health-monitor', { isPaused: true });
    expect([...workersCalledBy(current)]).toEqual([
      ['queue-processor', 'email-queue-processor'],
      ['quota-sync', 'email-quota-sync'],
    ]);
  });

  it('are all of them with one tick', () => {
    expect([...workersCalledBy(deployed(true)).keys()]).toEqual(['queue-processor', 'health-monitor', 'quota-sync']);
  });

  it('are none with strange destinations', () => {
    const [first] = deployed();
    if (first === undefined) throw new Error('There is no schedule.');
    expect(workersCalledBy([{ ...first, destination: 'my-url-group' }]).size).toBe(0);
  });
});
