import { expect, test } from 'vitest';
import { startQStash, type TestQStash } from './setup.ts';

/** To the instant itself: schedules fire at it. */
function setTo(q: TestQStash, minute: string): void {
  q.clock.set(Date.parse(`2026-11-23T${minute}:00Z`));
}

async function started() {
  const q = await startQStash();
  setTo(q, '12:01');
  await q.restart();
  return q;
}

test('a schedule fires at its times, with its id, headers and body, and tells when it did and will', async () => {
  await using q = await started();
  const { scheduleId } = await q.client.schedules.create({
    destination: `${q.endpoint.url}/tick`,
    scheduleId: 'email-queue-processor',
    cron: '*/2 * * * *',
    body: '{"batch":100}',
    headers: { 'x-origin': 'ops' },
    retries: 1,
  });
  expect(scheduleId).toBe('email-queue-processor');
  expect(await q.client.schedules.get(scheduleId)).toMatchObject({
    scheduleId,
    cron: '*/2 * * * *',
    destination: `${q.endpoint.url}/tick`,
    method: 'POST',
    retries: 1,
    isPaused: false,
    body: '{"batch":100}',
    nextScheduleTime: Date.parse('2026-11-23T12:02:00Z'),
  });

  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(0);
  for (const minute of ['12:02', '12:03', '12:04']) {
    setTo(q, minute);
    await q.qstash.runDue();
  }
  expect(q.endpoint.received).toHaveLength(2);
  expect(q.endpoint.received[0]).toMatchObject({ method: 'POST', body: '{"batch":100}' });
  const headers = q.endpoint.received[0]?.headers;
  expect(headers?.get('upstash-schedule-id')).toBe(scheduleId);
  expect(headers?.get('x-origin')).toBe('ops');
  expect(headers?.get('content-type')).toBe('application/json');
  expect(headers?.get('user-agent')).toBe('Upstash-QStash');
  expect(headers?.get('upstash-retried')).toBe('0');

  const after = await q.client.schedules.get(scheduleId);
  expect(after.lastScheduleTime).toBe(Date.parse('2026-11-23T12:04:00Z'));
  expect(after.nextScheduleTime).toBe(Date.parse('2026-11-23T12:06:00Z'));
  expect(after.lastScheduleStates).toEqual({ [headerOf(q, 'upstash-message-id')]: 'SUCCESS' });
});

function headerOf(q: TestQStash, name: string): string {
  return q.endpoint.received.at(-1)?.headers.get(name) ?? '';
}

test('the same id overwrites, list shows it once, and delete ends it', async () => {
  await using q = await started();
  const destination = `${q.endpoint.url}/tick`;
  await q.client.schedules.create({ destination, scheduleId: 's', cron: '*/2 * * * *' });
  await q.client.schedules.create({ destination, scheduleId: 's', cron: '*/5 * * * *' });
  expect(await q.client.schedules.list()).toMatchObject([{ scheduleId: 's', cron: '*/5 * * * *' }]);
  await q.client.schedules.delete('s');
  expect(await q.client.schedules.list()).toEqual([]);
  await expect(q.client.schedules.get('s')).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining('"error"'),
  });
});

test('a paused schedule does not fire until it is resumed', async () => {
  await using q = await started();
  await q.client.schedules.create({ destination: `${q.endpoint.url}/tick`, scheduleId: 's', cron: '*/2 * * * *' });
  await q.client.schedules.pause({ schedule: 's' });
  expect(await q.client.schedules.get('s')).toMatchObject({ isPaused: true });
  setTo(q, '12:10');
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(0);
  await q.restart();
  expect((await q.raw('POST', '/v2/schedules/s/resume')).status).toBe(200);
  setTo(q, '12:12');
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(1);
});

test('schedules survive a restart; what was missed meanwhile is not made up for', async () => {
  await using q = await started();
  await q.client.schedules.create({ destination: `${q.endpoint.url}/tick`, scheduleId: 's', cron: '*/2 * * * *' });
  setTo(q, '13:01');
  await q.restart();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(0);
  setTo(q, '13:02');
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(1);
});

test('after a sleep of the machine, what was missed fires once', async () => {
  await using q = await started();
  await q.client.schedules.create({ destination: `${q.endpoint.url}/tick`, scheduleId: 's', cron: '*/2 * * * *' });
  setTo(q, '18:31');
  await q.qstash.runDue();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(1);
});

test('a CRON_TZ prefix names the zone', async () => {
  await using q = await started();
  const destination = `${q.endpoint.url}/tick`;
  await q.client.schedules.create({ destination, scheduleId: 's', cron: 'CRON_TZ=America/New_York 0 4 * * *' });
  expect((await q.client.schedules.get('s')).nextScheduleTime).toBe(Date.parse('2026-11-24T09:00:00Z'));
});

test.each(['* * * *', '*/2 * * * * *', '61 * * * *', 'CRON_TZ=Mars/Olympus 0 4 * * *', ''])(
  'cron "%s" is refused with 400',
  async (cron) => {
    await using q = await startQStash();
    const create = q.client.schedules.create({ destination: `${q.endpoint.url}/tick`, cron });
    await expect(create).rejects.toMatchObject({ status: 400, message: expect.stringContaining('invalid cron') });
  },
);

test('speed 60 fires a two-minute schedule every two seconds, and shows real times', async () => {
  await using q = await startQStash({ speed: 60 });
  q.clock.set(Date.parse('2026-11-23T12:00:00Z'));
  await q.restart();
  await q.client.schedules.create({ destination: `${q.endpoint.url}/tick`, scheduleId: 's', cron: '*/2 * * * *' });
  expect((await q.client.schedules.get('s')).nextScheduleTime).toBe(Date.parse('2026-11-23T12:00:02Z'));
  for (let second = 1; second <= 10; second++) {
    q.clock.advance(1_000);
    await q.qstash.runDue();
  }
  expect(q.endpoint.received).toHaveLength(5);
  expect((await q.client.schedules.get('s')).lastScheduleTime).toBe(Date.parse('2026-11-23T12:00:10Z'));
});

test('an unknown schedule is a 404 and a wrong token a 401', async () => {
  await using q = await startQStash();
  await expect(q.client.schedules.pause({ schedule: 'nope' })).rejects.toMatchObject({ status: 404 });
  const { status, body } = await q.raw('GET', '/v2/schedules', { headers: { authorization: 'Bearer wrong' } });
  expect({ status, body }).toEqual({ status: 401, body: { error: expect.stringContaining('unauthorized') } });
});

test('a destination may end in /pause: it is created, not paused', async () => {
  await using q = await startQStash();
  const destination = `${q.endpoint.url}/api/admin/email/pause`;
  const { scheduleId } = await q.client.schedules.create({ destination, cron: '0 3 * * *' });
  expect(await q.client.schedules.get(scheduleId)).toMatchObject({ destination, isPaused: false });
});
