import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmailFunction } from '../../src/data/email-function.ts';
import { createQueueList } from '../../src/data/queue-list.ts';
import { connectRedis } from '../../src/data/redis.ts';
import { createSchedules } from '../../src/data/schedules.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { type AnsweringServer, json, startAnsweringServer } from '../support/answering-server.ts';

const KEY = 'canary-of-the-key-1234567890';
let server: AnsweringServer;

beforeAll(async () => {
  const said = `you sent Bearer ${KEY}, did you not`;
  server = await startAnsweringServer(
    json({ error: said, message: said, details: said, hint: said, success: false }, 400),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
  Postgres: () => createQueueList(connectSupabase({ url: server.url, serviceRoleKey: KEY }).client).list({}),
  'the email function': () => createEmailFunction({ url: server.url, serviceRoleKey: KEY }).health('full'),
  QStash: () => createSchedules({ url: server.url, token: KEY }).read(),
  'a command of Redis': () => connectRedis({ kind: 'rest', url: server.url, token: KEY }).client.get('x'),
  'a pipeline of Redis': () =>
    connectRedis({ kind: 'rest', url: server.url, token: KEY }).client.pipeline().get('x').exec(),
};

test.each(Object.entries(CALLS))('%s may repeat our key as it likes: it is not in the error', async (_name, call) => {
  const error = await call().then(
    () => null,
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(Error);
  expect(JSON.stringify([error?.message, error])).not.toContain('canary');
});
