import { expect, test } from 'vitest';
import { startQStash } from './setup.ts';

test('a message waits for its delay or its not-before time', async () => {
  await using q = await startQStash();
  const url = q.endpoint.url;
  await q.client.publish({ url, delay: 30, body: 'delay' });
  await q.client.publish({ url, notBefore: q.clock.nowEpochMs() / 1_000 + 60, body: 'not before' });
  for (const arrived of [[], ['delay'], ['delay', 'not before']]) {
    await q.qstash.runDue();
    expect(q.endpoint.received.map(({ body }) => body)).toEqual(arrived);
    q.clock.advance(30_000);
  }
});

test('the chosen method and forwarded headers arrive without their prefix', async () => {
  await using q = await startQStash();
  await q.client.publish({
    url: q.endpoint.url,
    method: 'PUT',
    headers: { 'X-Tenant': 'a', 'content-type': 'text/plain' },
    body: 'x',
  });
  await q.client.publish({ url: q.endpoint.url, method: 'GET' });
  await q.qstash.runDue();
  const byMethod = (wanted: string) => q.endpoint.received.find(({ method }) => method === wanted);
  expect(byMethod('PUT')?.headers.get('x-tenant')).toBe('a');
  expect(byMethod('PUT')?.headers.get('content-type')).toBe('text/plain');
  expect(byMethod('GET')?.body).toBe('');
});

test('a deduplication id makes one message in ten minutes, also across a restart', async () => {
  await using q = await startQStash();
  const publish = () => q.client.publish({ url: q.endpoint.url, deduplicationId: 'once' });
  const first = await publish();
  await q.restart();
  q.clock.advance(599_000);
  expect(await publish()).toEqual({ messageId: first.messageId, deduplicated: true });
  q.clock.advance(1_000);
  expect((await publish()).deduplicated).toBeUndefined();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(2);
});

test('deduplication by content looks at destination and body', async () => {
  await using q = await startQStash();
  const publish = (body: string) => q.client.publish({ url: q.endpoint.url, body, contentBasedDeduplication: true });
  const first = await publish('a');
  expect((await publish('a')).messageId).toBe(first.messageId);
  expect((await publish('b')).messageId).not.toBe(first.messageId);
});

test('a batch publishes all of its messages, or none when one of them is wrong', async () => {
  await using q = await startQStash();
  const url = q.endpoint.url;
  const answers = await q.client.batchJSON([
    { url: `${url}/a`, body: { n: 1 } },
    { url: `${url}/b`, body: { n: 2 }, delay: 10 },
    { url: `${url}/c`, body: { n: 3 }, queueName: 'ordered' },
  ]);
  expect(new Set(answers.map((answer) => (answer as { messageId: string }).messageId)).size).toBe(3);
  await q.qstash.runDue();
  expect(q.endpoint.received.map(({ body }) => body).sort()).toEqual(['{"n":1}', '{"n":3}']);

  await expect(q.client.batch([{ url }, { url, retryDelay: 'process.exit()' }])).rejects.toMatchObject({ status: 400 });
  q.clock.advance(10_000);
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(3);
});

test('a queue delivers in order, one after the other, and waits for retries', async () => {
  await using q = await startQStash();
  const queue = q.client.queue({ queueName: 'ordered' });
  q.endpoint.answerWith(new Response('', { status: 500 }));
  for (const n of [1, 2, 3]) await queue.enqueueJSON({ url: q.endpoint.url, body: { n }, retryDelay: '1000' });
  expect(await queue.get()).toMatchObject({ name: 'ordered', lag: 3, parallelism: 1, paused: false });
  await q.qstash.runDue();
  await q.qstash.runDue();
  expect(q.endpoint.received.map(({ body }) => body)).toEqual(['{"n":1}']);
  q.clock.advance(1_000);
  for (let n = 0; n < 3; n++) await q.qstash.runDue();
  expect(q.endpoint.received.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}', '{"n":2}', '{"n":3}']);
});

test('a queue has the parallelism it is given, and can be paused', async () => {
  await using q = await startQStash();
  const queue = q.client.queue({ queueName: 'wide' });
  await queue.upsert({ parallelism: 2 });
  for (const n of [1, 2, 3]) await queue.enqueueJSON({ url: q.endpoint.url, body: { n } });
  await queue.pause();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(0);
  await queue.resume();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(2);
  expect(await q.client.queue().list()).toMatchObject([{ name: 'wide', lag: 1 }]);
  await queue.delete();
  await q.qstash.runDue();
  expect(q.endpoint.received).toHaveLength(2);
});

test('messages can be cancelled by id, by several, by filter', async () => {
  await using q = await startQStash();
  const publish = async (label: string) =>
    (await q.client.publish({ url: `${q.endpoint.url}/${label}`, delay: 60, label })).messageId;
  const [a, b, c, d] = [await publish('a'), await publish('b'), await publish('c'), await publish('d')];
  expect(await q.client.messages.cancel(a)).toEqual({ cancelled: 1 });
  expect(await q.client.messages.cancel([b, 'unknown'])).toEqual({ cancelled: 1 });
  expect(await q.client.messages.cancel({ filter: { label: 'c' } })).toEqual({ cancelled: 1 });
  await expect(q.client.messages.get(c)).rejects.toMatchObject({ status: 404 });
  expect(await q.client.messages.get(d)).toMatchObject({ messageId: d, label: 'd' });
  await expect(q.client.messages.cancel(a)).rejects.toMatchObject({ status: 404 });
  expect(await q.client.messages.cancel({ all: true })).toEqual({ cancelled: 1 });
});

test('an unknown filter is refused: ignoring it would cancel everything', async () => {
  await using q = await startQStash();
  await q.client.publish({ url: q.endpoint.url, delay: 60 });
  expect((await q.raw('DELETE', '/v2/messages?lable=typo')).status).toBe(400);
});

test('the log is listed page by page with a cursor, newest first, and filtered', async () => {
  await using q = await startQStash();
  for (let n = 0; n < 12; n++) await q.client.publish({ url: `${q.endpoint.url}/${n % 2}`, label: `n${n}` });
  await q.qstash.runDue();
  const seen: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await q.client.logs({ count: 10, ...(cursor !== undefined && { cursor }) } as never);
    seen.push(...page.logs.map(({ messageId, state }) => `${messageId} ${state}`));
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined);
  // CREATED, ACTIVE and DELIVERED of twelve messages
  expect([pages, seen.length, new Set(seen).size]).toEqual([4, 36, 36]);
  expect(seen[0]).toMatch(/DELIVERED$/);
  expect(seen.at(-1)).toMatch(/CREATED$/);

  const delivered = await q.client.logs({ filter: { state: 'DELIVERED', url: `${q.endpoint.url}/1` } });
  expect(delivered.logs).toHaveLength(6);
  const labelled = await q.client.logs({ filter: { label: 'n3' } });
  expect(new Set(labelled.logs.map(({ label }) => label))).toEqual(new Set(['n3']));
  const documented = (await q.raw('GET', '/v2/logs?count=5')).body as { logs: unknown[]; cursor: string };
  expect(documented.logs).toHaveLength(5);
  expect((await q.client.logs({ filter: { toDate: q.clock.nowEpochMs() - 1 } })).logs).toEqual([]);
});

test('the log and the dead letters survive a restart; dead letters are deleted by id or all, page by page', async () => {
  await using q = await startQStash();
  for (let n = 0; n < 5; n++) {
    q.endpoint.answerWith(new Response('', { status: 500 }));
    await q.client.publish({ url: `${q.endpoint.url}/${n}`, retries: 0 });
    await q.qstash.runDue();
  }
  await q.restart();
  expect((await q.client.logs({ filter: { state: 'FAILED' } })).logs).toHaveLength(5);
  const { messages, cursor } = await q.client.dlq.listMessages({ count: 2 });
  expect(messages.map(({ url }) => url.at(-1))).toEqual(['4', '3']);
  const next = await q.client.dlq.listMessages({ count: 2, ...(cursor !== undefined && { cursor }) });
  expect(next.messages.map(({ url }) => url.at(-1))).toEqual(['2', '1']);
  expect(await q.client.dlq.delete(messages[0]?.dlqId ?? '')).toEqual({ deleted: 1 });
  expect(await q.client.dlq.delete({ all: true, count: 3 })).toMatchObject({ deleted: 3, cursor: expect.any(String) });
  expect(await q.client.dlq.delete({ all: true })).toEqual({ deleted: 1 });
  expect((await q.client.dlq.listMessages()).messages).toEqual([]);
});

test.each([
  ['a destination that is no URL', 'POST', '/v2/publish/some-group', 404],
  ['a scheme that is not HTTP', 'POST', '/v2/schedules/ftp://127.0.0.1/x', 400],
  ['an unknown path', 'GET', '/v2/nothing', 404],
  ['a wrong method', 'PUT', '/v2/batch', 405],
  ['a broken batch', 'POST', '/v2/batch', 400],
])('%s is refused', async (_, method, path, status) => {
  await using q = await startQStash();
  const headers = { authorization: 'Bearer qstash_test', 'upstash-cron': '* * * * *' };
  const answer = await q.raw(method, path, { headers, ...(method !== 'GET' && { body: '{' }) });
  expect(answer).toEqual({ status, body: { error: expect.any(String) } });
});
