import { expect, test } from 'vitest';
import { startEndpoint, startQStash } from './setup.ts';

test('what waits for the former address of the sandbox is delivered to its new one', async () => {
  await using q = await startQStash();
  await using moved = await startEndpoint();
  const former = new URL(q.endpoint.url).origin;
  const origin = new URL(moved.url).origin;
  q.qstash.moveTo(former);
  await q.client.publish({ url: `${former}/worker`, callback: `${former}/called`, body: 'waits', retries: 0 });
  await q.client.schedules.create({
    destination: `${former}/worker`,
    cron: '* * * * *',
    scheduleId: 'own',
    retries: 0,
  });
  await q.restart();
  q.qstash.moveTo(origin);
  await q.qstash.runDue();
  await q.qstash.runDue();
  q.clock.advance(60_000);
  await q.qstash.runDue();
  expect(q.endpoint.received).toEqual([]);
  expect(moved.received.map(({ url }) => new URL(url).pathname)).toEqual(['/worker', '/called', '/worker']);
});

test('a dead letter of an earlier address can be tried again at the new one', async () => {
  await using q = await startQStash();
  await using moved = await startEndpoint();
  const former = new URL(q.endpoint.url).origin;
  q.qstash.moveTo(former);
  q.endpoint.answerWith(new Response('', { status: 500 }));
  await q.client.publish({ url: `${former}/worker`, retries: 0 });
  await q.qstash.runDue();
  await q.restart();
  q.qstash.moveTo(new URL(moved.url).origin);
  const { messages } = await q.client.dlq.listMessages();
  await q.client.dlq.retry(messages.map(({ dlqId }) => dlqId));
  await q.qstash.runDue();
  expect(moved.received).toHaveLength(1);
});

test('another destination keeps its address, even one whose port begins alike', async () => {
  await using q = await startQStash();
  const former = q.endpoint.url.slice(0, -1);
  q.qstash.moveTo(former.replace(/\d$/, ''));
  await q.client.publish({ url: q.endpoint.url, retries: 0 });
  await q.restart();
  q.qstash.moveTo('http://127.0.0.1:1');
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(1);
});
