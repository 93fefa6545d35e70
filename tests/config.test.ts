import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Config, isEmpty, loadConfig, readEnvironment, type Variables } from '../src/config.ts';
import { isSecret, VARIABLE_NAMES, variable } from '../src/config-variables.ts';

const FULL = {
  KV_REST_API_URL: 'https://calm-fox-1.upstash.io',
  KV_REST_API_TOKEN: 'AXbcRedisToken',
  NEXT_PUBLIC_SUPABASE_URL: 'https://abcdef.supabase.co',
  SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_0123456789',
  QSTASH_TOKEN: 'eyQStashToken',
  QSTASH_CURRENT_SIGNING_KEY: 'sig_current',
  QSTASH_NEXT_SIGNING_KEY: 'sig_next',
};

function configOf(environment: Variables): Config {
  const result = loadConfig(environment);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

function problemsOf(environment: Variables): readonly string[] {
  const result = loadConfig(environment);
  return result.ok ? [] : result.problems;
}

describe('loadConfig', () => {
  it('takes the three systems of a whole deployment and defaults for the rest', () => {
    expect(configOf({ ...FULL, EMAIL_WORKER_BASE_URL: 'https://foodshare.club/' })).toEqual({
      environment: { name: 'production', isSandbox: false },
      redis: { kind: 'rest', url: 'https://calm-fox-1.upstash.io', token: 'AXbcRedisToken' },
      supabase: { url: 'https://abcdef.supabase.co', serviceRoleKey: 'sb_secret_0123456789' },
      qstash: { token: 'eyQStashToken', url: null, currentSigningKey: 'sig_current', nextSigningKey: 'sig_next' },
      worker: {
        baseUrl: 'https://foodshare.club',
        batchSize: 100,
        concurrency: 10,
        runBudgetMs: 240_000,
        lockTtlSeconds: 300,
        slots: 1,
        alerts: {
          queueAgeMs: 900_000,
          queueGrowth: 100,
          missedProcessorRuns: 3,
          healthFailures: 3,
          cooldownMs: 3_600_000,
        },
      },
      adminToken: null,
      cronSecret: null,
      webhook: null,
      readOnly: false,
      isDevelopment: false,
    });
  });

  it('is empty without credentials, whatever else is set', () => {
    expect(isEmpty(configOf({ EMAIL_CONCURRENCY: '5', EMAIL_WORKER_BASE_URL: 'https://foodshare.club' }))).toBe(true);
    expect(isEmpty(configOf({ REDIS_URL: 'redis://127.0.0.1:6379' }))).toBe(false);
  });

  it('runs with what is there when a whole system is missing', () => {
    const config = configOf({ REDIS_URL: 'redis://cache.internal:6379' });
    expect(config.redis).toEqual({ kind: 'tcp', url: 'redis://cache.internal:6379' });
    expect([config.supabase, config.qstash]).toEqual([null, null]);
  });

  it('accepts the names that Upstash and Supabase give the same things', () => {
    const config = configOf({
      UPSTASH_REDIS_REST_URL: 'https://a.upstash.io',
      UPSTASH_REDIS_REST_TOKEN: 't',
      SUPABASE_URL: 'https://b.supabase.co',
      SUPABASE_SERVICE_ROLE_KEY: 'k',
    });
    expect(config.redis?.url).toBe('https://a.upstash.io');
    expect(config.supabase?.url).toBe('https://b.supabase.co');
  });

  it('prefers the REST address where an integration set both for one database', () => {
    expect(configOf({ ...FULL, REDIS_URL: 'rediss://default:x@calm-fox-1.upstash.io:6379' }).redis?.kind).toBe('rest');
  });

  it('reports every mistake at once, one line each, with its remedy', () => {
    expect(
      problemsOf({
        ...FULL,
        KV_REST_API_TOKEN: undefined,
        SUPABASE_SERVICE_ROLE_KEY: 'sb_publishable_abc',
        EMAIL_CONCURRENCY: '50',
        EMAIL_BATCH_SIZE: 'many',
        EMAIL_WORKER_SLOTS: '0',
        EMAIL_OPS_READ_ONLY: 'perhaps',
        QSTASH_DEV: '1',
      }),
    ).toEqual([
      'SUPABASE_SERVICE_ROLE_KEY is the public key, which may not read the queue; use the secret (service_role) key (Supabase dashboard, Project Settings, API Keys)',
      'EMAIL_BATCH_SIZE=many is not a whole number; use 1 to 500',
      'EMAIL_CONCURRENCY=50 is over the maximum of 20',
      'EMAIL_WORKER_SLOTS=0 is under the minimum of 1',
      'EMAIL_OPS_READ_ONLY=perhaps is neither true nor false',
      'KV_REST_API_TOKEN is missing, and KV_REST_API_URL needs it (Upstash console, your database, REST API)',
      'QSTASH_DEV is set, which makes the QStash SDK accept its public test keys: unset it, or set NODE_ENV=development',
    ]);
  });

  it.each([
    [{ KV_REST_API_URL: 'rediss://x.upstash.io:6379', KV_REST_API_TOKEN: 't' }, /put it in REDIS_URL/],
    [
      { REDIS_URL: 'foo' },
      /^REDIS_URL is not a Redis address \(it looks like redis:\/\/user:password@host:6379\/0, or rediss:\/\/ for TLS\)$/,
    ],
    [{ REDIS_URL: 'https://x.upstash.io' }, /^REDIS_URL is a REST address; put it in KV_REST_API_URL/],
    [
      { UPSTASH_REDIS_REST_URL: 'x.upstash.io', KV_REST_API_TOKEN: 't' },
      /^UPSTASH_REDIS_REST_URL=x\.upstash\.io is not/,
    ],
    [{ QSTASH_TOKEN: 'two words' }, /^QSTASH_TOKEN contains spaces/],
    [{ QSTASH_URL: 'https://qstash-eu.upstash.io' }, /^QSTASH_TOKEN is missing, and QSTASH_URL needs it/],
    [{ QSTASH_TOKEN: 't', QSTASH_NEXT_SIGNING_KEY: 'k' }, /^QSTASH_CURRENT_SIGNING_KEY is missing/],
    [{ EMAIL_ADMIN_TOKEN: 'short' }, /^EMAIL_ADMIN_TOKEN is shorter than 16 characters \(make one with: openssl/],
    [{ EMAIL_OPS_ENV: 'pro\u001b[31md' }, /^EMAIL_OPS_ENV=pro\?\[31md is not a name/],
    [{ EMAIL_WORKER_BASE_URL: 'https://me:pass@x.org' }, /carries a user name or password/],
  ])('explains the mistake in %j', (environment, complaint) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(complaint)]);
  });

  it('recognises the public key in its old form too', () => {
    const anon = `eyJh.${Buffer.from('{"role":"anon"}').toString('base64url')}.sig`;
    expect(problemsOf({ SUPABASE_URL: 'https://b.supabase.co', SUPABASE_SERVICE_ROLE_KEY: anon })).toHaveLength(1);
  });

  it('lets QSTASH_DEV pass in development only', () => {
    expect(problemsOf({ QSTASH_DEV: '1', NODE_ENV: 'development' })).toEqual([]);
    expect(problemsOf({ QSTASH_DEV: 'true', NODE_ENV: 'production' })).toHaveLength(1);
  });

  it.each([
    [
      { EMAIL_OPS_SANDBOX: '1', REDIS_URL: 'redis://127.0.0.1:1' },
      { name: 'sandbox', isSandbox: true },
    ],
    [{ REDIS_URL: 'redis://localhost:6379' }, { name: 'local', isSandbox: false }],
    [
      { ...FULL, NEXT_PUBLIC_SUPABASE_URL: 'http://127.0.0.1:54321' },
      { name: 'production', isSandbox: false },
    ],
    [
      { ...FULL, EMAIL_OPS_ENV: 'staging' },
      { name: 'staging', isSandbox: false },
    ],
  ])('names the environment of %j', (environment, expected) => {
    expect(configOf(environment).environment).toEqual(expected);
  });

  it('never throws and never repeats a secret, whatever the environment holds', () => {
    const text = fc.option(fc.string(), { nil: undefined });
    const secret = fc.option(
      fc.tuple(fc.string(), fc.string()).map(([before, after]) => `${before}S3CRET${after}`),
      { nil: undefined },
    );
    const any = fc.record(Object.fromEntries(VARIABLE_NAMES.map((name) => [name, isSecret(name) ? secret : text])));
    fc.assert(
      fc.property(any, (environment: Variables) => {
        const text = problemsOf(environment).join('\n');
        expect(text).not.toContain('S3CRET');
        expect(text.split('\n').every((line) => line === '' || /^[A-Z_]+/.test(line))).toBe(true);
      }),
    );
  });

  it('holds numbers to their range exactly', () => {
    for (const name of VARIABLE_NAMES) {
      const { format, min, max } = variable(name);
      if (format !== 'integer') continue;
      expect(problemsOf({ [name]: String(min) })).toEqual([]);
      expect(problemsOf({ [name]: String(max) })).toEqual([]);
      expect(problemsOf({ [name]: String(Number(min) - 1) })).toHaveLength(1);
      expect(problemsOf({ [name]: String(Number(max) + 1) })).toHaveLength(1);
    }
  });
});

describe('readEnvironment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-config-'));
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(join(folder, '.env'), { recursive: true, force: true });
  });

  it('reads .env, and the process environment wins', () => {
    writeFileSync(join(folder, '.env'), 'REDIS_URL="redis://file:6379"\n# a remark\nEMAIL_BATCH_SIZE=200 # remark\n');
    const { environment, problems } = readEnvironment(folder, { REDIS_URL: 'redis://process:6379' });
    expect(problems).toEqual([]);
    expect(environment).toMatchObject({ REDIS_URL: 'redis://process:6379', EMAIL_BATCH_SIZE: '200' });
  });

  it('lets a variable be switched off for one command by setting it to nothing', () => {
    writeFileSync(join(folder, '.env'), 'REDIS_URL=redis://file:6379\n');
    expect(isEmpty(configOf(readEnvironment(folder, { REDIS_URL: '' }).environment))).toBe(true);
  });

  it('is content without a file', () => {
    expect(readEnvironment(folder, { A: '1' })).toEqual({ environment: { A: '1' }, problems: [] });
  });

  it('says so when the file cannot be read', () => {
    mkdirSync(join(folder, '.env'));
    expect(readEnvironment(folder, {}).problems).toEqual([
      `${join(folder, '.env')} cannot be read (EISDIR): make it a readable file, or remove it`,
    ]);
  });
});
