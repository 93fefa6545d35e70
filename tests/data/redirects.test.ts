/** No system can make us carry its key, or an email, to another address. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmailFunction } from '../../src/data/email-function.ts';
import type { FaultError } from '../../src/data/fault.ts';
import { createOverview } from '../../src/data/overview.ts';
import { createQueueList } from '../../src/data/queue-list.ts';
import { connectRedis } from '../../src/data/redis.ts';
import { createSchedules } from '../../src/data/schedules.ts';
import { readSigningKeys } from '../../src/data/signing-keys.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { systemClock } from '../../src/domain/time.ts';
import { callProvider } from '../../src/email-function/provider-call.ts';
import { type AnsweringServer, json, startAnsweringServer } from '../support/answering-server.ts';

const SECRET = 'secret-canary-of-the-key';
let elsewhere: AnsweringServer;
let server: AnsweringServer;

beforeAll(async () => {
  elsewhere = await startAnsweringServer(json({}));
  server = await startAnsweringServer(json({}));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

const redirect = (status: number) => {
  server.answer = (response, path) => {
    response.writeHead(status, { location: `${elsewhere.url}${path}` }).end();
  };
};
const supabase = () => connectSupabase({ url: server.url, serviceRoleKey: SECRET }).client;
const target = () => ({ url: server.url, token: SECRET });

const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
  'Postgres, a function': () => createOverview(supabase(), systemClock).read(),
  'Postgres, a table': () => createQueueList(supabase()).list({}),
  'the email function': () => createEmailFunction({ url: server.url, serviceRoleKey: SECRET }).health('full'),
  QStash: () => createSchedules(target()).read(),
  'the signing keys': () => readSigningKeys(target()),
};

test.each(Object.entries(CALLS).flatMap(([name, call]) => [301, 307, 308].map((status) => ({ name, call, status }))))(
  '$name with HTTP $status is a fault, and the other address hears nothing',
  async ({ call, status }) => {
    redirect(status);
    const error = await call().then(
      () => null,
      (reason: unknown) => reason as FaultError,
    );
    expect(error?.fault).toMatchObject({ code: 'protocol', message: expect.stringContaining('another address') });
    expect(elsewhere.requests).toEqual([]);
  },
);

test('a provider of emails gets its key only at its own address', async () => {
  redirect(307);
  const request = {
    url: `${server.url}/v3/smtp/email`,
    init: { method: 'POST', headers: { 'api-key': SECRET }, body: '{}' },
  };
  const called = await callProvider('brevo', fetch, request, new AbortController().signal);
  expect(called).toMatchObject({ ok: true, reply: { status: 307 } });
  expect(elsewhere.requests).toEqual([]);
});

test('the token of Redis goes to no other address', async () => {
  redirect(307);
  const { client, close } = connectRedis({ kind: 'rest', url: server.url, token: SECRET });
  await client.get('x').catch(() => undefined);
  await close();
  expect(JSON.stringify(elsewhere.requests)).not.toContain(SECRET);
});
