import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQStash } from '../../../src/sandbox/qstash/qstash.ts';

const HEADERS = [
  ...['upstash-cron', 'upstash-method', 'upstash-delay', 'upstash-not-before', 'upstash-retries', 'upstash-timeout'],
  ...['upstash-retry-delay', 'upstash-callback', 'upstash-deduplication-id', 'upstash-label', 'upstash-queue-name'],
  ...['upstash-flow-control-key', 'upstash-flow-control-value', 'upstash-schedule-id', 'upstash-forward-host'],
];
const PATHS = [
  ...[
    '/v2/publish/http://127.0.0.1:1/x',
    '/v2/publish/',
    '/v2/schedules/http://127.0.0.1:1/',
    '/v2/schedules',
    '/v2/batch',
  ],
  ...[
    '/v2/enqueue/q/http://127.0.0.1:1/',
    '/v2/enqueue/q',
    '/v2/messages',
    '/v2/messages/%zz',
    '/v2/events',
    '/v2/dlq',
  ],
  ...[
    '/v2/dlq/retry',
    '/v2/queues',
    '/v2/queues/q/pause',
    '/v2/publish/https%3A%2F%2F127.0.0.1/',
    '/v2/publish/http://',
  ],
];

test('whatever is asked, it is served or refused with a reason, and what was taken can be delivered and listed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qstash-'));
  const qstash = createQStash({ folder, token: 't', fetch: async () => new Response('', { status: 500 }) });
  const text = fc.oneof(
    fc.constantFrom('0', '10s', '* * * * *', 'pow(2,retried)', 'http://127.0.0.1:1/', 'GET', '-1', '1e9'),
    fc.string(),
  );
  const headers = fc.dictionary(fc.constantFrom(...HEADERS), text, { maxKeys: 4 });
  const body = fc.oneof(
    fc.json(),
    fc.constant('[{"destination":"http://127.0.0.1:1/","headers":{"a b":"c"}}]'),
    fc.string(),
  );
  const path = fc.oneof(fc.constantFrom(...PATHS), fc.webPath());
  const method = fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH');
  const call = async (verb: string, where: string, given: Record<string, string>, content: string) => {
    const sent = new Headers({ authorization: 'Bearer t' });
    for (const [name, value] of Object.entries(given)) if (/^[\x20-\x7e]*$/.test(value)) sent.set(name, value);
    const request = new Request(`http://127.0.0.1:1${where}`, {
      method: verb,
      headers: sent,
      ...(verb !== 'GET' && { body: content }),
    });
    return qstash.fetch(request);
  };
  try {
    await fc.assert(
      fc.asyncProperty(
        method,
        path,
        fc.webQueryParameters(),
        headers,
        body,
        async (verb, where, query, given, content) => {
          const response = await call(verb, query === '' ? where : `${where}?${query}`, given, content);
          expect([200, 201, 202, 400, 401, 404, 405]).toContain(response.status);
          if (response.status >= 400) expect(await response.json()).toEqual({ error: expect.any(String) });
        },
      ),
      { numRuns: 400 },
    );
    for (let n = 0; n < 5; n++) await qstash.runDue();
    for (const listing of ['/v2/schedules', '/v2/queues', '/v2/dlq', '/v2/events?count=1000']) {
      expect((await call('GET', listing, {}, '')).status).toBe(200);
    }
  } finally {
    await qstash.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
