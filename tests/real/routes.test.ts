import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeliveries } from '../../src/data/deliveries.ts';
import { createDueTimes } from '../../src/data/due-times.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import type { WorkerName } from '../../src/domain/run.ts';
import type { DeliveryCheckOptions } from '../../src/workers/delivery-check.ts';
import { createWorkerRoutes, pathOf, type RouteName } from '../../src/workers/routes.ts';
import { createTick } from '../../src/workers/tick.ts';
import type { RunResult } from '../../src/workers/worker.ts';
import { manualClock } from '../support/clock.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';

const BASE = 'https://foodshare.example';
const KEYS = { current: 'sig_current_for_tests', next: 'sig_next_for_tests' };
const OK: RunResult = {
  outcome: 'ok',
  processed: 5,
  successful: 4,
  failed: 1,
  message: '5 emails processed.',
  durationMs: 12,
};
/** Known to everybody: the SDK's development key. */
const PUBLIC_DEV_KEY = 'sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r';

interface Token {
  readonly key?: string;
  readonly url?: string;
  readonly body?: string;
  readonly ageSeconds?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A signature as QStash makes it: HS256 over issuer, URL, times and the body's digest. */
function sign({
  key = KEYS.current,
  url = `${BASE}${pathOf('queue-processor')}`,
  body = '{}',
  ageSeconds = 0,
  claims = {},
}: Token = {}) {
  const now = Math.floor(Date.now() / 1_000) - ageSeconds;
  const digest = createHash('sha256').update(body).digest('base64url');
  const all = { iss: 'Upstash', sub: url, iat: now, nbf: now, exp: now + 300, jti: 'jwt_1', body: digest, ...claims };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(all)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

describe.skipIf(isRedisServerMissing())('the worker endpoints', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  let runs: { name: WorkerName; trigger: string }[] = [];
  let answers: Partial<Record<WorkerName, () => Promise<RunResult>>> = {};
  const log: string[] = [];
  const clock = manualClock();

  beforeAll(async () => {
    server = await startRedisServer();
    redis = connectRedis({ kind: 'tcp', url: server.url });
  });
  afterAll(async () => {
    await redis?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await redis.client.flushall();
    runs = [];
    answers = {};
    log.length = 0;
    clock.set(Date.parse('2026-11-23T12:00:00Z'));
  });

  function routes(options: Partial<DeliveryCheckOptions & { signal: AbortSignal }> = {}) {
    const worker = (name: WorkerName) => ({
      run: ({ trigger }: { trigger: string }) => {
        runs.push({ name, trigger });
        return answers[name]?.() ?? Promise.resolve(OK);
      },
    });
    const workers = {
      'queue-processor': worker('queue-processor'),
      'health-monitor': worker('health-monitor'),
      'quota-sync': worker('quota-sync'),
    };
    const write = (line: string) => log.push(line);
    return createWorkerRoutes({
      workers,
      tick: createTick(workers, { dueTimes: createDueTimes(redis.client), clock }),
      deliveries: createDeliveries(redis.client),
      signingKeys: KEYS,
      baseUrl: BASE,
      cronSecret: null,
      isDevelopment: false,
      log: { info: write, warn: write, error: write },
      signal: new AbortController().signal,
      ...options,
    });
  }

  /** As a reverse proxy hands it on: the request's own URL is an inner one. */
  function delivery(headers: Record<string, string> = {}, { name = 'queue-processor' as RouteName, body = '{}' } = {}) {
    return new Request(`http://127.0.0.1:8787${pathOf(name)}`, { method: 'POST', body, headers });
  }
  const signed = (token: Token = {}, messageId?: string) => ({
    'upstash-signature': sign(token),
    ...(messageId === undefined ? {} : { 'upstash-message-id': messageId }),
  });
  const call = async (request: Request, options: Parameters<typeof routes>[0] = {}) => {
    const response = await routes(options)['queue-processor'](request);
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };

  it('run a delivery signed with either key, and answer as QStash expects', async () => {
    const answer = await call(delivery(signed()));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      message: '5 emails processed.',
      processed: 5,
      successful: 4,
      failed: 1,
      duration: 12,
    });
    expect((await call(delivery(signed({ key: KEYS.next })))).status).toBe(200);
    expect(runs).toEqual([
      { name: 'queue-processor', trigger: 'qstash' },
      { name: 'queue-processor', trigger: 'qstash' },
    ]);
  });

  it.each<[string, Record<string, string>]>([
    ['no signature', {}],
    ['an empty signature', { 'upstash-signature': '' }],
    ['nonsense', { 'upstash-signature': 'nonsense' }],
    ['a foreign key', signed({ key: 'sig_of_somebody_else' })],
    ['the public development key', signed({ key: PUBLIC_DEV_KEY })],
    ['an expired signature', signed({ ageSeconds: 400 })],
    ['a signature from the future', signed({ ageSeconds: -120 })],
    ['a signature for another endpoint', signed({ url: `${BASE}${pathOf('quota-sync')}` })],
    ['a signature for another host', signed({ url: `https://elsewhere.example${pathOf('queue-processor')}` })],
    ['a signature for another body', signed({ body: '{"batch":1}' })],
    ['another issuer', signed({ claims: { iss: 'Somebody' } })],
    ['no body claim', signed({ claims: { body: undefined } })],
    ['no URL claim', signed({ claims: { sub: undefined } })],
    ['an unsigned token', { 'upstash-signature': `${sign().split('.').slice(0, 2).join('.')}.` }],
  ])('refuse %s with 401 and run nothing', async (_what, headers) => {
    const answer = await call(delivery(headers));
    expect(answer.status).toBe(401);
    expect(runs).toEqual([]);
    expect(log.join()).toContain('Refused a call (401)');
  });

  it('refuse the public development key even with QSTASH_DEV in the environment', async () => {
    vi.stubEnv('QSTASH_DEV', '1');
    const answer = await call(delivery(signed({ key: PUBLIC_DEV_KEY })));
    vi.unstubAllEnvs();
    expect(answer.status).toBe(401);
  });

  it('verify the query that was signed', async () => {
    const url = `${BASE}${pathOf('queue-processor')}?from=schedule`;
    const request = new Request(`http://127.0.0.1${pathOf('queue-processor')}?from=schedule`, {
      method: 'POST',
      body: '{}',
      headers: signed({ url }),
    });
    expect((await call(request)).status).toBe(200);
  });

  it('accept an empty body', async () => {
    const request = new Request(`http://127.0.0.1${pathOf('queue-processor')}`, {
      method: 'POST',
      headers: signed({ body: '' }),
    });
    expect((await call(request)).status).toBe(200);
  });

  it('are closed while keys or the public address are missing', async () => {
    expect((await call(delivery(signed()), { signingKeys: null })).status).toBe(503);
    expect((await call(delivery(signed()), { baseUrl: null })).status).toBe(503);
    expect(runs).toEqual([]);
  });

  it('refuse a body over 64 KB, announced or not, without reading it all', async () => {
    expect((await call(delivery(signed(), { body: 'x'.repeat(70_000) }))).status).toBe(413);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 16_384;
        controller.enqueue(new Uint8Array(16_384));
      },
    });
    const request = new Request(`http://127.0.0.1${pathOf('queue-processor')}`, {
      method: 'POST',
      body: endless,
      headers: signed(),
      duplex: 'half',
    } as RequestInit);
    expect((await call(request)).status).toBe(413);
    expect(sent).toBeLessThan(200_000);
  });

  it('answer 405 to other methods', async () => {
    const answer = await call(new Request(`http://127.0.0.1${pathOf('queue-processor')}`, { method: 'DELETE' }));
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('run a message once, however often it is delivered', async () => {
    expect((await call(delivery(signed({}, 'msg_1')))).body).not.toHaveProperty('skipped');
    const again = await call(delivery(signed({}, 'msg_1')));
    expect(again).toMatchObject({ status: 200, body: { success: true, skipped: true } });
    expect(runs).toHaveLength(1);
    const ttl = await redis.client.ttl('email:qstash:message:msg_1');
    expect(ttl).toBeGreaterThan(86_000);
  });

  it('do not run a message twice at once, and ask for it again later', async () => {
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    answers['queue-processor'] = () => promise;
    const first = call(delivery(signed({}, 'msg_2')));
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    const second = await call(delivery(signed({}, 'msg_2')));
    expect(second.status).toBe(409);
    expect(second.headers.get('retry-after')).toBe('330');
    resolve(OK);
    expect((await first).status).toBe(200);
    expect(runs).toHaveLength(1);
  });

  it('run a message again after it failed', async () => {
    answers['queue-processor'] = () => Promise.resolve({ ...OK, outcome: 'failed', message: 'Postgres is down.' });
    expect(await call(delivery(signed({}, 'msg_3')))).toMatchObject({
      status: 500,
      body: { success: false, error: 'Postgres is down.' },
    });
    answers = {};
    expect((await call(delivery(signed({}, 'msg_3')))).status).toBe(200);
    expect(runs).toHaveLength(2);
  });

  it('answer 500 without a stack when a worker throws, and let the message come again', async () => {
    answers['queue-processor'] = () => Promise.reject(new Error('a mistake of ours'));
    const answer = await call(delivery(signed({}, 'msg_4')));
    expect(answer).toMatchObject({ status: 500, body: { success: false, error: 'a mistake of ours' } });
    expect(await redis.client.exists('email:qstash:message:msg_4')).toBe(0);
  });

  it('answer 200 to what was skipped, because a retry would not help', async () => {
    answers['queue-processor'] = () => Promise.resolve({ ...OK, outcome: 'skipped', message: 'Paused by anna.' });
    expect(await call(delivery(signed()))).toMatchObject({
      status: 200,
      body: { success: true, skipped: true, message: 'Paused by anna.' },
    });
  });

  it('answer 200 to a run that a pause ended, and 500 to one that the server’s end did', async () => {
    const message = '20 emails processed: 20 sent, 0 failed. Paused by anna.';
    answers['queue-processor'] = () => Promise.resolve({ ...OK, outcome: 'aborted', processed: 20, message });
    expect(await call(delivery(signed({}, 'msg_5')))).toMatchObject({
      status: 200,
      body: { success: true, message, processed: 20 },
    });
    expect(await call(delivery(signed({}, 'msg_5')))).toMatchObject({ status: 200, body: { skipped: true } });
    const signal = AbortSignal.abort();
    expect((await call(delivery(signed({}, 'msg_6')), { signal })).status).toBe(500);
    expect((await call(delivery(signed({}, 'msg_6')))).status).toBe(200);
  });

  it('take no message id that is none for a key', async () => {
    await call(delivery({ ...signed(), 'upstash-message-id': 'x y*z' }));
    expect(await redis.client.keys('email:qstash:*')).toEqual([]);
  });

  describe('by GET', () => {
    const get = (authorization?: string) =>
      new Request(
        `http://127.0.0.1${pathOf('queue-processor')}`,
        authorization === undefined ? {} : { headers: { authorization } },
      );
    const cronSecret = 'a-secret-of-sixteen';

    it('run for Vercel cron with its secret', async () => {
      expect((await call(get(`Bearer ${cronSecret}`), { cronSecret })).status).toBe(200);
      expect(runs[0]?.trigger).toBe('vercel-cron');
    });

    it.each(['Bearer wrong', 'Bearer undefined', 'Bearer null', 'Bearer ', cronSecret, `Basic ${cronSecret}`])(
      'are closed to %j',
      async (authorization) => {
        expect((await call(get(authorization), { cronSecret })).status).toBe(403);
        expect((await call(get(authorization), { cronSecret: null })).status).toBe(403);
        expect(runs).toEqual([]);
      },
    );

    it('are closed without a secret, and open in development', async () => {
      expect((await call(get())).status).toBe(403);
      expect((await call(get(), { isDevelopment: true })).status).toBe(200);
    });
  });

  describe('with one tick for all', () => {
    const url = `${BASE}${pathOf('tick')}`;
    const tick = async () => {
      const response = await routes().tick(delivery(signed({ url }), { name: 'tick' }));
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const names = () => runs.splice(0).map(({ name }) => name);

    it('run at first everything, then what is due', async () => {
      await tick();
      expect(names()).toEqual(['queue-processor', 'health-monitor', 'quota-sync']);
      await tick();
      expect(names()).toEqual([]);
      const ran: WorkerName[][] = [];
      for (let minute = 2; minute <= 10; minute += 2) {
        clock.advance(120_000);
        await tick();
        ran.push(names());
      }
      expect(ran).toEqual([
        ['queue-processor'],
        ['queue-processor'],
        ['queue-processor', 'health-monitor'],
        ['queue-processor'],
        ['queue-processor', 'health-monitor'],
      ]);
    });

    it('lose nothing when ticks are missed', async () => {
      await tick();
      names();
      clock.advance(3_600_000);
      await tick();
      expect(names()).toEqual(['queue-processor', 'health-monitor', 'quota-sync']);
    });

    it('take a tick for its own time when clocks differ a little', async () => {
      await tick();
      names();
      clock.advance(120_000 - 3_000);
      await tick();
      expect(names()).toEqual(['queue-processor']);
      clock.advance(120_000);
      await tick();
      expect(names()).toEqual(['queue-processor']);
    });

    it('run each worker once when two ticks come at once', async () => {
      await Promise.all([tick(), tick()]);
      expect(names().toSorted()).toEqual(['health-monitor', 'queue-processor', 'quota-sync']);
    });

    it('run again after ten minutes what died without a word', async () => {
      const { promise, resolve } = Promise.withResolvers<RunResult>();
      answers['quota-sync'] = () => promise;
      const dying = tick();
      await vi.waitFor(() => expect(runs).toHaveLength(3));
      names();
      answers = {};
      clock.advance(8 * 60_000);
      await tick();
      expect(names()).not.toContain('quota-sync');
      clock.advance(4 * 60_000);
      await tick();
      expect(names()).toContain('quota-sync');
      resolve(OK);
      await dying;
    });

    it('are a failure when one of them failed, also where a pause ended another', async () => {
      answers['queue-processor'] = () => Promise.resolve({ ...OK, outcome: 'aborted', message: 'Paused by anna.' });
      answers['health-monitor'] = () => Promise.resolve({ ...OK, outcome: 'failed', message: 'Postgres is down.' });
      const signature = sign({ url: BASE + pathOf('tick') });
      const answer = await routes().tick(delivery({ 'upstash-signature': signature }, { name: 'tick' }));
      expect(answer.status).toBe(500);
    });

    it('run again only what failed', async () => {
      answers['quota-sync'] = () => Promise.resolve({ ...OK, outcome: 'failed', message: 'No answer.' });
      expect((await tick()).status).toBe(500);
      names();
      answers = {};
      expect((await tick()).status).toBe(200);
      expect(names()).toEqual(['quota-sync']);
    });
  });
});
