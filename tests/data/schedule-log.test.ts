import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createScheduleChanges } from '../../src/data/schedule-changes.ts';
import { createScheduleLog } from '../../src/data/schedule-log.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { startQStash, type TestQStash, TOKEN } from '../sandbox/qstash/setup.ts';

const ID = 'email-queue-processor';

describe('what became of a schedule’s messages', () => {
  let test: TestQStash;
  const target = () => ({ token: TOKEN, url: test.url });

  beforeEach(async () => {
    test = await startQStash();
    // So that a retry seconds later does not meet the next tick.
    test.clock.set(Math.ceil(test.clock.nowEpochMs() / (2 * MINUTE_MS)) * 2 * MINUTE_MS);
    await test.client.schedules.create({
      destination: `${test.endpoint.url}/run`,
      scheduleId: ID,
      cron: '*/2 * * * *',
      retries: 1,
    });
  });
  afterEach(() => test[Symbol.asyncDispose]());

  /** Fires once more, and tries until QStash has delivered or given up. */
  async function fire(...answers: Response[]) {
    test.endpoint.answerWith(...answers);
    test.clock.advance(2 * MINUTE_MS);
    await test.qstash.runDue();
    if (answers.length < 2) return;
    test.clock.advance(13 * SECOND_MS);
    await test.qstash.runDue();
  }
  const failure = () => Response.json({ success: false, error: 'Postgres is away.' }, { status: 500 });

  it('tells of the newest first: how often it was tried, and what came of it', async () => {
    await fire();
    await fire(failure(), Response.json({ ok: true }));
    const { deliveries, skipped } = await createScheduleLog(target()).deliveries(ID);
    expect(skipped).toBe(0);
    expect(deliveries).toMatchObject([
      { state: 'delivered', attempts: 2, error: 'HTTP 500: Postgres is away.', nextAttemptAtEpochMs: null },
      { state: 'delivered', attempts: 1, error: null },
    ]);
    expect((deliveries[0]?.lastAtEpochMs ?? 0) - (deliveries[0]?.createdAtEpochMs ?? 0)).toBe(13 * SECOND_MS);
  });

  it('says when the next try comes', async () => {
    await fire(failure());
    const { deliveries } = await createScheduleLog(target()).deliveries(ID);
    expect(deliveries[0]?.state).toBe('retry');
    expect(deliveries[0]?.nextAttemptAtEpochMs).toBeGreaterThan(test.clock.nowEpochMs());
  });

  it('knows nothing of other schedules', async () => {
    await fire();
    expect((await createScheduleLog(target()).deliveries('another')).deliveries).toEqual([]);
  });

  it('lists what QStash gave up on, with the reason', async () => {
    await fire(failure(), failure());
    const { messages, cursor } = await createScheduleLog(target()).deadLetters(null);
    expect(cursor).toBeNull();
    expect(messages).toMatchObject([
      {
        scheduleId: ID,
        destination: `${test.endpoint.url}/run`,
        responseStatus: 500,
        reason: 'HTTP 500: Postgres is away.',
        diedAtEpochMs: test.clock.nowEpochMs(),
      },
    ]);
  });

  it('sends a dead letter again, or deletes it', async () => {
    const log = createScheduleLog(target());
    const changes = createScheduleChanges(target());
    await fire(failure(), failure());
    await fire(failure(), failure());
    const [newer, older] = (await log.deadLetters(null)).messages;
    expect(await changes.redeliver([newer?.id ?? ''])).toBe(1);
    const before = test.endpoint.received.length;
    await test.qstash.runDue();
    expect(test.endpoint.received.length).toBe(before + 1);
    expect(await changes.deleteDead([older?.id ?? ''])).toBe(1);
    expect((await log.deadLetters(null)).messages).toEqual([]);
  });

  it('asks for nothing where there is nothing to send again', async () => {
    expect(await createScheduleChanges(target()).redeliver([])).toBe(0);
    expect(await createScheduleChanges(target()).deleteDead([])).toBe(0);
  });

  it('says in words that QStash does not take the token', async () => {
    const log = createScheduleLog({ ...target(), token: 'wrong' });
    await expect(log.deliveries(ID)).rejects.toMatchObject({ fault: { code: 'unauthorized' } });
    await expect(log.deadLetters(null)).rejects.toMatchObject({ fault: { code: 'unauthorized' } });
  });
});
