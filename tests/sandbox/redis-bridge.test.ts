import { describe, expect, test } from 'vitest';
import { createUpstashBridge } from '../../src/sandbox/redis/bridge.ts';
import { type Execute, RedisAway } from '../../src/sandbox/redis/execute.ts';

/** Answers each command with its own words, so that a test sees what arrived. */
const echo: Execute = async (commands) => commands.map((command) => ({ result: [...command] }));

async function ask(
  path: string,
  init: RequestInit = {},
  options: { execute?: Execute; prefix?: string; maxBodyBytes?: number } = {},
) {
  const bridge = createUpstashBridge({ execute: echo, token: 'tok', ...options });
  const headers = { authorization: 'Bearer tok', ...(init.headers as Record<string, string> | undefined) };
  const response = await bridge(new Request(`http://sandbox${path}`, { method: 'POST', ...init, headers }));
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
}

const post = (body: unknown) => ({ body: typeof body === 'string' ? body : JSON.stringify(body) });

describe('the Upstash bridge', () => {
  test.each([
    ['no header', { authorization: '' }],
    ['another token', { authorization: 'Bearer tok2' }],
    ['the beginning of the token', { authorization: 'Bearer to' }],
    ['another scheme', { authorization: 'Basic tok' }],
  ])('refuses %s with 401 and the words of Upstash', async (_, headers) => {
    const { status, body } = await ask('/', { ...post(['PING']), headers });
    expect([status, body]).toEqual([401, { error: 'WRONGPASS invalid or missing auth token' }]);
  });

  test('takes the token from the query too, and does not hand it on', async () => {
    const { status, body } = await ask('/get/k?_token=tok', { method: 'GET', headers: { authorization: '' } });
    expect([status, body]).toEqual([200, { result: ['get', 'k'] }]);
  });

  test.each([
    ['/', '{', 'ERR failed to parse command'],
    ['/', '[]', 'ERR failed to parse command'],
    ['/', '"PING"', 'ERR failed to parse command'],
    ['/', '[["PING"]]', 'ERR failed to parse command'],
    ['/', '["SET","k",null]', 'ERR failed to parse command'],
    ['/', '', 'ERR failed to parse command'],
    ['/pipeline', '{}', 'ERR failed to parse pipeline request'],
    ['/pipeline', '["PING"]', 'ERR failed to parse command'],
    ['/pipeline', '[]', 'ERR empty pipeline request'],
    ['/multi-exec', '[[]]', 'ERR failed to parse command'],
  ])('answers a malformed body to %s, %s, with 400', async (path, body, error) => {
    expect(await ask(path, { body })).toMatchObject({ status: 400, body: { error } });
  });

  test('refuses methods that Upstash does not have', async () => {
    expect((await ask('/', { method: 'DELETE' })).status).toBe(405);
  });

  test('refuses a body over the limit, announced or not', async () => {
    const big = JSON.stringify(['SET', 'k', 'x'.repeat(200)]);
    const refused = { status: 400, body: { error: 'ERR max request size exceeded' } };
    expect(await ask('/', { body: big }, { maxBodyBytes: 100 })).toMatchObject(refused);
    const stream = new Blob([big]).stream();
    expect(await ask('/', { body: stream, duplex: 'half' } as RequestInit, { maxBodyBytes: 100 })).toMatchObject(
      refused,
    );
  });

  test.each(['MULTI', 'subscribe', 'SELECT', 'SHUTDOWN', 'CONFIG', 'blpop', 'CLIENT'])(
    'keeps %s away from the connection that all share',
    async (name) => {
      for (const [path, body] of [
        ['/', [name, 'x']],
        ['/pipeline', [['PING'], [name]]],
        ['/multi-exec', [[name]]],
      ] as const) {
        const answer = await ask(path, post(body));
        expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining('not available')]);
      }
    },
  );

  test('reads the path form: path, then body, then query', async () => {
    expect((await ask('/set/a%20key/va%2Flue?EX=100&NX', { method: 'GET' })).body.result).toEqual([
      'set',
      'a key',
      'va/lue',
      'EX',
      '100',
      'NX',
    ]);
    expect((await ask('/set/k?EX=100', { body: 'the body' })).body.result).toEqual([
      'set',
      'k',
      'the body',
      'EX',
      '100',
    ]);
    expect((await ask('/get/%E0%A4%A', { method: 'GET' })).status).toBe(400);
    expect((await ask('/', { method: 'GET' })).body).toEqual({ error: 'ERR empty command' });
  });

  test('works under the prefix where it is mounted', async () => {
    expect((await ask('/redis', post(['PING']), { prefix: '/redis' })).body).toEqual({ result: ['PING'] });
    expect((await ask('/redis/pipeline', post([['PING']]), { prefix: '/redis' })).body).toEqual([{ result: ['PING'] }]);
  });

  test('encodes every string but a lone OK in base64 when asked', async () => {
    const execute: Execute = async () => [
      { result: 'OK' },
      { result: 'é' },
      { result: ['OK', 1, null, ['x']] },
      { error: 'ERR plain' },
    ];
    const headers = { 'upstash-encoding': 'base64' };
    expect((await ask('/pipeline', { ...post([['PING']]), headers }, { execute })).body).toEqual([
      { result: 'OK' },
      { result: 'w6k=' },
      { result: ['T0s=', 1, null, ['eA==']] },
      { error: 'ERR plain' },
    ]);
  });

  test('answers a failed lone command with 400, a pipeline with failures with 200, a discarded transaction with 400', async () => {
    const failed: Execute = async (commands, mode) =>
      mode === 'atomic' ? { error: 'EXECABORT no' } : commands.map(() => ({ error: 'ERR no' }));
    expect(await ask('/', post(['X']), { execute: failed })).toMatchObject({ status: 400, body: { error: 'ERR no' } });
    expect(await ask('/pipeline', post([['X']]), { execute: failed })).toMatchObject({
      status: 200,
      body: [{ error: 'ERR no' }],
    });
    expect(await ask('/multi-exec', post([['X']]), { execute: failed })).toMatchObject({
      status: 400,
      body: { error: 'EXECABORT no' },
    });
  });

  test('says 503 when the engine is away, and hides no mistake of ours', async () => {
    const away: Execute = async () => Promise.reject(new RedisAway('the server is gone'));
    expect(await ask('/', post(['PING']), { execute: away })).toMatchObject({
      status: 503,
      body: { error: 'ERR the server is gone' },
    });
    const broken: Execute = async () => Promise.reject(new TypeError('a mistake of ours'));
    await expect(ask('/', post(['PING']), { execute: broken })).rejects.toThrow(TypeError);
  });

  test('gives a token of consistency with every answer', async () => {
    expect((await ask('/', post(['PING']))).headers.get('upstash-sync-token')).toMatch(/^sandbox-/);
  });
});
