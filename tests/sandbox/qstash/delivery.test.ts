import { expect, test } from 'vitest';
import { startQStash, type TestQStash } from './setup.ts';

const SECOND_MS = 1_000;
const fail = () => new Response('no', { status: 500 });

/** Seconds from now until a pending message is tried next. */
async function secondsLeft(q: TestQStash, messageId: string): Promise<number> {
  const { notBefore = 0 } = await q.client.messages.get(messageId);
  return Math.round((notBefore - q.clock.nowEpochMs()) / SECOND_MS);
}

async function states(q: TestQStash, messageId: string): Promise<string[]> {
  const { logs } = await q.client.logs({ filter: { messageId } as never });
  return logs.map(({ state }) => state as string).reverse();
}

test('a failing delivery is retried after 12 s, 2 min 28 s and 30 min, then becomes a dead letter, which can be retried', async () => {
  await using q = await startQStash();
  q.endpoint.answerWith(fail, fail, fail, fail);
  const url = `${q.endpoint.url}/work`;
  const { messageId } = await q.client.publishJSON({ url, body: { n: 1 }, label: 'nightly' });
  await q.qstash.runDue();
  const waits: number[] = [];
  for (let n = 0; n < 3; n++) {
    waits.push(await secondsLeft(q, messageId));
    q.clock.advance((waits.at(-1) ?? 0) * SECOND_MS - SECOND_MS);
    await q.qstash.runDue();
    expect(q.endpoint.received).toHaveLength(n + 1);
    q.clock.advance(2 * SECOND_MS);
    await q.qstash.runDue();
  }
  expect(waits).toEqual([12, 148, 1808]);
  expect(q.endpoint.received.map(({ headers }) => headers.get('upstash-retried'))).toEqual(['0', '1', '2', '3']);
  await expect(q.client.messages.get(messageId)).rejects.toMatchObject({ status: 404 });

  const { messages } = await q.client.dlq.listMessages();
  expect(messages).toMatchObject([
    { messageId, url, body: '{"n":1}', responseStatus: 500, responseBody: 'no', label: 'nightly', maxRetries: 3 },
  ]);
  expect(await states(q, messageId)).toEqual([
    ...['CREATED', 'ACTIVE', 'ERROR', 'RETRY', 'ACTIVE', 'ERROR', 'RETRY'],
    ...['ACTIVE', 'ERROR', 'RETRY', 'ACTIVE', 'ERROR', 'FAILED'],
  ]);

  const retried = await q.client.dlq.retry(messages[0]?.dlqId ?? '');
  expect(retried.responses).toHaveLength(1);
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(5);
  expect(q.endpoint.received[4]).toMatchObject({ body: '{"n":1}' });
  expect((await q.client.dlq.listMessages()).messages).toEqual([]);
});

test.each([
  ['an expression of its own', { retryDelay: '1000 * (1 + retried)' }, {}, 1],
  ['Retry-After in seconds', {}, { 'retry-after': '90' }, 90],
  ['X-RateLimit-Reset as a duration', {}, { 'x-ratelimit-reset': '6m5s' }, 365],
  ['a wait of more than a day, which is ignored', {}, { 'retry-after': '90000' }, 12],
  ['Retry-After over the expression', { retryDelay: '5000' }, { 'retry-after': '7' }, 7],
])('the wait before a retry follows %s', async (_, request, headers, seconds) => {
  await using q = await startQStash();
  q.endpoint.answerWith(() => new Response('', { status: 503, headers }));
  const { messageId } = await q.client.publish({ url: q.endpoint.url, ...request });
  await q.qstash.runDue();
  expect(await secondsLeft(q, messageId)).toBe(seconds);
});

test('speed divides the wait before a retry', async () => {
  await using q = await startQStash({ speed: 12 });
  q.endpoint.answerWith(fail);
  const { messageId } = await q.client.publish({ url: q.endpoint.url });
  await q.qstash.runDue();
  expect(await secondsLeft(q, messageId)).toBe(1);
});

test('status 489 with the header goes to the dead letters at once; without it, it is retried', async () => {
  await using q = await startQStash();
  q.endpoint.answerWith(() => new Response('bad', { status: 489, headers: { 'upstash-nonretryable-error': 'true' } }));
  const { messageId } = await q.client.publish({ url: q.endpoint.url, retries: 5 });
  await q.qstash.runDue();
  expect((await q.client.dlq.listMessages()).messages).toMatchObject([{ messageId, responseStatus: 489 }]);

  q.endpoint.answerWith(() => new Response('bad', { status: 489 }));
  const second = await q.client.publish({ url: q.endpoint.url, retries: 5 });
  await q.qstash.runDue();
  expect((await q.client.messages.get(second.messageId)).messageId).toBe(second.messageId);
});

test('only 2xx is success: a redirect is not followed', async () => {
  await using q = await startQStash();
  q.endpoint.answerWith(() => Response.redirect(`${q.endpoint.url}/elsewhere`, 302));
  const { messageId } = await q.client.publish({ url: q.endpoint.url, retries: 0 });
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(1);
  expect((await q.client.dlq.listMessages()).messages).toMatchObject([{ messageId, responseStatus: 302 }]);
});

test('a destination that is silent longer than its timeout is an error', async () => {
  await using q = await startQStash();
  q.endpoint.answerWith(() => new Promise<Response>(() => {}));
  const { messageId } = await q.client.publish({ url: q.endpoint.url, retries: 0, timeout: '0.05s' as never });
  await q.qstash.runDue();
  const { messages } = await q.client.dlq.listMessages();
  expect(messages).toMatchObject([{ messageId, responseBody: 'no answer within 0.05 s' }]);
});

test('destinations outside this machine are never called: the delivery fails and is retried as usual', async () => {
  let calls = 0;
  await using q = await startQStash({
    fetch: async () => {
      calls += 1;
      return Response.json({});
    },
  });
  const { messageId } = await q.client.publish({
    url: 'https://foodshare.club/api/email/worker/queue-processor',
    retries: 1,
  });
  await q.qstash.runDue();
  q.clock.advance(13_000);
  await q.qstash.runDue();
  expect(calls).toBe(0);
  expect(await states(q, messageId)).toEqual(['CREATED', 'ACTIVE', 'ERROR', 'RETRY', 'ACTIVE', 'ERROR', 'FAILED']);
  const { logs } = await q.client.logs({ filter: { state: 'ERROR' } });
  expect(logs[0]?.error).toContain('this machine only');
});

test('callbacks tell each answer, the failure callback the end', async () => {
  await using q = await startQStash();
  q.endpoint.answerWith(fail, () => Response.json({ seen: 1 }), fail);
  const { messageId } = await q.client.publishJSON({
    url: `${q.endpoint.url}/work`,
    body: { n: 1 },
    retries: 0,
    callback: `${q.endpoint.url}/callback`,
    failureCallback: `${q.endpoint.url}/failed`,
  });
  await q.qstash.runDue();
  await q.qstash.runDue();
  const byPath = (path: string) => q.endpoint.received.find(({ url }) => url.endsWith(path));
  const told = JSON.parse(byPath('/callback')?.body ?? '{}');
  expect(told).toMatchObject({ status: 500, retried: 0, maxRetries: 0, sourceMessageId: messageId, method: 'POST' });
  expect(Buffer.from(told.body, 'base64').toString()).toBe('no');
  expect(Buffer.from(told.sourceBody, 'base64').toString()).toBe('{"n":1}');
  const failed = JSON.parse(byPath('/failed')?.body ?? '{}');
  const { messages } = await q.client.dlq.listMessages();
  expect(failed).toMatchObject({ status: 500, dlqId: messages[0]?.dlqId });
});

test('a restart delivers again what was under way, and keeps what was waiting', async () => {
  await using q = await startQStash();
  let arrived = () => {};
  const isUnderWay = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  q.endpoint.answerWith(() => {
    arrived();
    return new Promise<Response>(() => {});
  });
  const first = await q.client.publish({ url: `${q.endpoint.url}/interrupted` });
  const later = await q.client.publish({ url: `${q.endpoint.url}/later`, delay: 60 });
  const running = q.qstash.runDue();
  await isUnderWay;
  await q.restart();
  await running;
  await q.qstash.runDue();
  q.clock.advance(60_000);
  await q.qstash.runDue();
  expect(q.endpoint.received.map(({ headers }) => headers.get('upstash-message-id'))).toEqual([
    first.messageId,
    first.messageId,
    later.messageId,
  ]);
  expect(q.endpoint.received[1]?.headers.get('upstash-retried')).toBe('0');
});

test('started, it delivers by itself, at the time that was asked for', async () => {
  await using q = await startQStash({ clock: { nowEpochMs: () => Date.now() } });
  q.qstash.start();
  q.endpoint.answerWith(fail);
  await q.client.publish({ url: q.endpoint.url, retries: 1, retryDelay: '50' });
  await expect.poll(() => q.endpoint.received.length, { timeout: 5_000 }).toBe(2);
});
