import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connectSystems } from '../../src/commands/connect.ts';
import type { Io } from '../../src/commands/io.ts';
import { json, startAnsweringServer } from '../support/answering-server.ts';
import { temporaryFolder } from '../support/cli.ts';

/** Longer than a Redis of a deployment may take. */
const SLOW_MS = 2_300;
const PONG = { result: Buffer.from('PONG').toString('base64') };

describe('a Redis that is slow', () => {
  const ping = async (variables: Readonly<Record<string, string>>) => {
    await using server = await startAnsweringServer(async (response, path) => {
      await delay(SLOW_MS);
      json(PONG)(response, path);
    });
    await using systems = await connectSystems({} as Io, {
      environment: { KV_REST_API_URL: server.url, KV_REST_API_TOKEN: 'token', ...variables },
      folder: temporaryFolder(),
      signal: new AbortController().signal,
    });
    return await systems.redis?.client.ping();
  };

  it('is waited for in the sandbox, whose systems share one process, and is a fault elsewhere', async () => {
    const [inSandbox, elsewhere] = await Promise.allSettled([ping({ EMAIL_OPS_SANDBOX: '1' }), ping({})]);
    expect(inSandbox).toEqual({ status: 'fulfilled', value: 'PONG' });
    expect(elsewhere).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('2000 ms') } });
  });
});
