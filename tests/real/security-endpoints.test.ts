/** `serve` as it meets the open internet: real process, real sockets, hostile bytes. */
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startCli } from '../support/cli.ts';
import { dangersIn } from '../support/hostile-text.ts';
import { request, sendRaw } from '../support/raw-http.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';

const BASE = 'https://foodshare.example';
const WORKER = '/api/email/worker/queue-processor';
const ADMIN = '/api/admin/email/status';
const ADMIN_TOKEN = 'admin-token-of-the-tests-0123456789';
/** Before the rotation `old` was the current key and `current` the next one. */
const KEYS = { old: 'sig_old_key_for_tests', current: 'sig_current_for_tests', next: 'sig_next_for_tests' };

interface Token {
  readonly header?: object;
  readonly key?: string;
  readonly claims?: object;
}

function token({ header = { alg: 'HS256', typ: 'JWT' }, key = KEYS.current, claims = {} }: Token = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const body = createHash('sha256').update('{}').digest('base64url');
  const all = {
    iss: 'Upstash',
    sub: `${BASE}${WORKER}`,
    iat: now,
    nbf: now,
    exp: now + 300,
    jti: 'jwt_1',
    body,
    ...claims,
  };
  const text = [header, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

describe.skipIf(isRedisServerMissing())('serve', () => {
  let redis: RedisServer;
  let server: Running;
  let port = 0;

  beforeAll(async () => {
    redis = await startRedisServer();
    server = startCli(['serve', '--port', '0'], {
      env: {
        REDIS_URL: redis.url,
        NEXT_PUBLIC_SUPABASE_URL: 'http://127.0.0.1:1',
        SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_of_the_tests',
        QSTASH_TOKEN: 'qstash-token-of-the-tests',
        QSTASH_URL: 'http://127.0.0.1:1',
        QSTASH_CURRENT_SIGNING_KEY: KEYS.current,
        QSTASH_NEXT_SIGNING_KEY: KEYS.next,
        EMAIL_WORKER_BASE_URL: BASE,
        EMAIL_ADMIN_TOKEN: ADMIN_TOKEN,
      },
    });
    await server.untilStdout(/Metrics:/);
    port = Number(/127\.0\.0\.1:(\d+)/.exec(server.stdout())?.[1]);
  });
  afterAll(async () => {
    // It has answered everything and lives; what it wrote is one line each, without a stack.
    expect(
      (await sendRaw(port, [request('GET /healthz', { connection: 'close' })], { waitMs: 5_000 })).statuses,
    ).toEqual([200]);
    server?.child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await server.finished();
    expect(exitCode).toBe(0);
    expect(stdout + stderr).not.toMatch(/\n\s+at |canary/);
    expect(dangersIn(stdout + stderr)).toEqual([]);
    await redis?.stop();
  });

  const call = (line: string, headers: Record<string, string> = {}, body?: string) =>
    sendRaw(port, [request(line, { connection: 'close', ...headers }, body)], { waitMs: 8_000 });
  const deliver = (signature: string) => call(`POST ${WORKER}`, { 'upstash-signature': signature }, '{}');

  const internals = new RegExp(
    [
      'node_modules',
      'file://',
      '\\.ts\\b',
      '\\n\\s+at ',
      'x-powered-by',
      '\\nserver:',
      'sb_secret',
      'sig_',
      '127\\.0\\.0\\.1',
      'ECONN',
      ADMIN_TOKEN,
    ].join('|'),
    'i',
  );

  it('tells whoever asks only in a word what is wrong', async () => {
    const { statuses, text } = await call('GET /readyz');
    expect(statuses).toEqual([503]);
    expect(
      JSON.parse(
        text
          .split('\r\n\r\n')
          .at(-1)
          ?.match(/\{.*\}/)?.[0] ?? '',
      ),
    ).toEqual({
      isReady: false,
      redis: 'ok',
      postgres: 'unreachable',
    });
  });

  describe('a delivery', () => {
    it('passes with the current and the next key', async () => {
      // Postgres is not there: the run fails, which only who may start one is told.
      for (const key of [KEYS.current, KEYS.next]) expect((await deliver(token({ key }))).statuses).toEqual([500]);
    });

    it.each<[string, () => string]>([
      ['the key before the rotation', () => token({ key: KEYS.old })],
      ['alg none and no signature', () => token({ header: { alg: 'none' } }).replace(/[^.]*$/, '')],
      ['alg None in other letters', () => token({ header: { alg: 'nOnE' } }).replace(/[^.]*$/, '')],
      ['alg none and a signature', () => token({ header: { alg: 'none' } })],
      ['another algorithm over the same key', () => token({ header: { alg: 'HS512' } })],
      ['an asymmetric algorithm', () => token({ header: { alg: 'RS256' } })],
      [
        'a key of its own in the header',
        () => token({ key: 'mine', header: { alg: 'HS256', jwk: { kty: 'oct', k: 'bWluZQ' } } }),
      ],
      ['a key id that is a path', () => token({ key: '', header: { alg: 'HS256', kid: '../../../../dev/null' } })],
      ['no end', () => token({ claims: { exp: undefined }, key: KEYS.old })],
      ['a list of URLs', () => token({ claims: { sub: [`${BASE}${WORKER}`] } })],
      ['a URL that only begins so', () => token({ claims: { sub: `${BASE}${WORKER}.evil.example` } })],
      ['times that are text', () => token({ claims: { exp: '9999999999' } })],
      ['four parts', () => `${token()}.x`],
      ['broken base64', () => `${token().slice(0, -3)}%%%`],
      ['JSON that is none', () => `${Buffer.from('{').toString('base64url')}.e30.x`],
      ['an object with a prototype', () => token({ claims: JSON.parse('{"__proto__":{"sub":"x"},"sub":null}') })],
    ])('with %s is refused', async (_what, signature) => {
      const answer = await deliver(signature());
      expect(answer.statuses).toEqual([401]);
      expect(answer.text).not.toMatch(internals);
    });

    it('with two signatures is refused, whichever is good', async () => {
      const two = `POST ${WORKER} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nupstash-signature: bad\r\nupstash-signature: ${token()}\r\ncontent-length: 2\r\n\r\n{}`;
      expect((await sendRaw(port, [two], { waitMs: 5_000 })).statuses).toEqual([401]);
    });
  });

  describe('the admin API', () => {
    const wrong: readonly Record<string, string>[] = [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${ADMIN_TOKEN.slice(0, -1)}` },
      { authorization: `Bearer ${ADMIN_TOKEN}x` },
      { authorization: `Bearer ${ADMIN_TOKEN.toUpperCase()}` },
      { authorization: `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}` },
      { authorization: `Basic ${Buffer.from(`:${ADMIN_TOKEN}`).toString('base64')}` },
      { authorization: ADMIN_TOKEN },
      { cookie: `token=${ADMIN_TOKEN}`, 'x-api-key': ADMIN_TOKEN },
      { authorization: 'Bearer undefined' },
      { authorization: `Bearer ${'x'.repeat(12_000)}` },
    ];

    it('answers every wrong token alike, whatever is asked', async () => {
      const seen = new Set<string>();
      for (const headers of wrong) {
        for (const line of [`GET ${ADMIN}`, 'GET /api/admin/email/nothing-there', 'POST /api/admin/email/pause']) {
          const { statuses, text } = await call(line, headers);
          expect({ line, headers, statuses }).toEqual({ line, headers, statuses: [401] });
          seen.add(text.replace(/date: .*\r\n/i, ''));
        }
      }
      expect([...seen]).toHaveLength(1);
    });

    it('takes no token from the address', async () => {
      expect((await call(`GET ${ADMIN}?token=${ADMIN_TOKEN}&authorization=Bearer%20${ADMIN_TOKEN}`)).statuses).toEqual([
        401,
      ]);
    });

    it('does not read what nobody may send: ten megabytes without a token are refused at once', async () => {
      const head = request('POST /api/admin/email/pause', { 'content-length': '10000000' });
      const answer = await sendRaw(port, [head, 'x'.repeat(100_000)], { waitMs: 3_000 });
      expect(answer.statuses).toEqual([401]);
      expect(answer.tookMs).toBeLessThan(3_500);
    });
  });

  describe('hostile requests', () => {
    it.each([
      ['/api/admin/email/../../../etc/passwd', [404]],
      ['/api/admin/email/%2e%2e/%2e%2e/etc/passwd', [404]],
      ['/api/email/worker/..%2f..%2f..%2fetc%2fpasswd', [404]],
      ['/..\\..\\windows\\win.ini', [400]],
      ['//etc/passwd', [404]],
      ['/%00', [404]],
      ['/%zz%c0%ae', [404]],
      [`/${'a'.repeat(10_000)}`, [404]],
      ['/.env', [404]],
      ['/package.json', [404]],
      ['/__proto__/constructor', [404]],
      [`${WORKER}/`, [404]],
      [`${WORKER.toUpperCase()}`, [404]],
    ])('for %s find nothing', async (path, statuses) => {
      const answer = await call(`GET ${path}`);
      expect(answer.statuses).toEqual(statuses);
      expect(answer.text).not.toMatch(internals);
    });

    it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'CONNECT', 'BREW'])(
      'with the method %s do nothing and are told nothing',
      async (method) => {
        for (const path of [WORKER, ADMIN, '/healthz']) {
          const { statuses, text } = await call(`${method} ${path}`, { 'x-echo': 'canary' });
          if (method !== 'HEAD') expect(statuses.filter((status) => status < 400)).toEqual([]);
          expect(text).not.toContain('canary');
          expect(text).not.toMatch(internals);
        }
      },
    );

    const inner = `GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n`;
    it.each<[string, string]>([
      [
        'length and chunks',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      ],
      [
        'two lengths',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
      ],
      ['a list of lengths', `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ncontent-length: 0, ${inner.length}\r\n\r\n${inner}`],
      ['a length with a sign', `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\nhello${inner}`],
      [
        'chunked in disguise',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
      ],
      [
        'chunked not last',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
      ],
      [
        'a space before the colon',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
      ],
      [
        'a folded header',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\nx-a: b\r\n transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n${inner}`,
      ],
      ['a bare line feed', `POST ${WORKER} HTTP/1.1\r\nhost: x\ncontent-length: 5\r\n\r\nhello${inner}`],
      [
        'a carriage return in a value',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\rtransfer-encoding: chunked\r\n\r\n${inner}`,
      ],
      ['a null in a header', `POST ${WORKER} HTTP/1.1\r\nhost: x\r\nx-a: \0\r\n\r\n${inner}`],
      [
        'a huge chunk size',
        `POST ${WORKER} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${inner}`,
      ],
    ])('with %s do not smuggle another one in', async (_what, bytes) => {
      const answer = await sendRaw(port, [bytes], { waitMs: 1_500 });
      expect(answer.statuses.length).toBeLessThanOrEqual(1);
      expect(answer.statuses.filter((status) => status < 400)).toEqual([]);
      expect(answer.text).not.toContain('email_queue_emails');
      expect(answer.text).not.toMatch(internals);
    });

    it.each(['', 'a b', 'x:99999999', '[::1', '\x80\xff', 'evil.example/..', `${'h'.repeat(300)}`])(
      'with the host %j leave it standing',
      async (host) => {
        const answer = await call(`GET ${ADMIN}`, { host });
        expect(answer.statuses.length).toBeLessThanOrEqual(1);
        expect(answer.statuses.filter((status) => status < 400 || status === 500)).toEqual([]);
        expect(answer.text).not.toMatch(internals);
      },
    );

    it('with a header that is too large are refused before anybody reads it', async () => {
      const answer = await call(`POST ${WORKER}`, { 'upstash-signature': 'x'.repeat(200_000) }, '{}');
      expect(answer.statuses.every((status) => status === 431)).toBe(true);
      expect(answer.isClosed).toBe(true);
    });

    it('that come drop by drop are hung up on', async () => {
      const [headers, body] = await Promise.all([
        sendRaw(port, [`POST ${WORKER} HTTP/1.1\r\nhost: x\r\n`], { waitMs: 60_000 }),
        sendRaw(port, [request(`POST ${WORKER}`, { 'upstash-signature': 'x', 'content-length': '1000' }), '{'], {
          waitMs: 60_000,
        }),
      ]);
      expect(headers).toMatchObject({ isClosed: true, statuses: [408] });
      expect(body.isClosed).toBe(true);
      expect(headers.tookMs).toBeLessThan(15_000);
      expect(body.tookMs).toBeLessThan(40_000);
    });
  });
});
