/** `run`, `pause` and `resume` as processes, against real servers: what they print, how they exit, and what survives them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const LOCK = 'email:queue:lock';

describe.skipIf(isMailStackMissing())('the workers’ commands', () => {
  let stack: MailStack;
  let started: ChildProcess[] = [];
  beforeAll(async () => {
    stack = await startMailStack();
  });
  afterAll(() => stack?.stop());
  beforeEach(() => stack.reset());
  afterEach(() => {
    for (const child of started) child.kill('SIGKILL');
    started = [];
  });

  const start = (words: readonly string[], variables: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, [CLI, ...words], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH ?? '', USER: 'anna', ...stack.environment, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output.stderr += text;
    });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
    return { child, output, ended };
  };
  const cli = (...words: string[]) => start(words).ended;

  describe('run', () => {
    test('drains 1,000 emails at 300 ms with ten lanes in little more than 30 seconds, each sent, logged and counted once', async () => {
      await stack.reset({ medianMs: 300, p99Ms: 300 });
      const ids = await stack.enqueue(1_000);
      const { code, stdout, stderr } = await cli('run', 'queue-processor', '--json');
      expect(code).toBe(0);
      const result = JSON.parse(stdout);
      expect(result).toMatchObject({ worker: 'queue-processor', outcome: 'ok', processed: 1_000, successful: 1_000 });
      expect(result.durationMs).toBeLessThan(30_000 * 1.1);
      expect(stderr).toContain('[email-worker] Processing 100 emails...');
      expect([...stack.delivered(ids).values()]).toEqual(Array(1_000).fill(1));
      const [counted] = await stack.sql`
        select (select count(*)::int from email_logs where status = 'sent') as logged,
          (select sum(emails_sent)::int from email_provider_quota) as quota`;
      expect(counted).toEqual({ logged: 1_000, quota: 1_000 });
      expect(await stack.redis.client.hget('email:stats:daily', 'successful')).toBe('1000');
    });

    test('leaves with 4 when a pause holds the queue, and with 2 for a worker that does not exist', async () => {
      await stack.redis.client.set(LOCK, 'pause/anna@desk/1795000000000/', { ex: 60 });
      expect(await cli('run', 'queue-processor')).toMatchObject({
        code: 4,
        stdout: expect.stringContaining('skipped: Paused by anna@desk'),
      });
      expect(await cli('run', 'queue-procesor')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          "'queue-procesor' is no worker: use queue-processor, health-monitor, quota-sync",
        ),
      });
    });

    test('drains on the first Ctrl-C, and leaves at once on the second', async () => {
      await stack.reset({ medianMs: 1_500, p99Ms: 1_500 });
      await stack.enqueue(50);
      const drained = start(['run', 'queue-processor']);
      // Ten are through, so that ten others are on their way.
      await expect.poll(() => stack.delivered().size, { timeout: 10_000 }).toBe(10);
      drained.child.kill('SIGINT');
      expect(await drained.ended).toMatchObject({
        code: 130,
        stdout: expect.stringMatching(/aborted: 20 emails processed: 20 sent, 0 failed\. 30 emails went back/),
      });
      expect(await stack.counts()).toEqual({ completed: 20, queued: 30 });

      const hurried = start(['run', 'queue-processor']);
      await expect.poll(() => stack.delivered().size, { timeout: 10_000 }).toBe(30);
      hurried.child.kill('SIGINT');
      hurried.child.kill('SIGTERM');
      const leftAt = Date.now();
      expect((await hurried.ended).code).toBeGreaterThanOrEqual(130);
      expect(Date.now() - leftAt).toBeLessThan(1_000);
    });
  });

  describe('pause and resume', () => {
    test('hold the queue and let it go again, and write both to the audit list', async () => {
      const paused = await cli('pause', '--for', '30m', '--reason', 'resend outage');
      expect(paused).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Paused until \d\d:\d\d UTC \(30 min\)/),
      });
      expect(await stack.redis.client.get(LOCK)).toMatch(/^pause\/anna@.+\/\d+\/resend%20outage$/);
      expect(await cli('pause', '--for', '2h', '--json')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('"paused"'),
      });
      expect(await stack.redis.client.pttl(LOCK)).toBeGreaterThan(119 * 60_000);
      expect(await cli('resume')).toMatchObject({ code: 0, stdout: expect.stringContaining('Resumed after') });
      expect(await stack.redis.client.get(LOCK)).toBeNull();
      expect(await cli('resume')).toMatchObject({ code: 0, stdout: 'Nothing is paused.\n' });
      const audit = (await stack.redis.client.lrange('email:ops:audit', 0, -1)).map((text) => JSON.parse(String(text)));
      expect(audit.map(({ by, action, outcome }) => [by, action, outcome])).toEqual([
        ['anna', 'resume', 'ok'],
        ['anna', 'extend pause', 'ok'],
        ['anna', 'pause', 'ok'],
      ]);
    });

    test('somebody else’s pause keeps its reason beside that of whoever prolongs it, and is lifted only on purpose', async () => {
      await cli('pause', '--reason', 'resend outage');
      await start(['pause', '--reason', 'brevo too'], { USER: 'bob' }).ended;
      const [, reason = ''] = /^pause\/anna@[^/]+\/\d+\/(.*)$/.exec(String(await stack.redis.client.get(LOCK))) ?? [];
      expect(decodeURIComponent(reason)).toBe('resend outage; bob: brevo too');
      expect(await start(['resume'], { USER: 'bob' }).ended).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/The pause is by anna@.*Lift it\?.*--yes/),
      });
      expect(await stack.redis.client.get(LOCK)).not.toBeNull();
      expect(await start(['resume', '--yes'], { USER: 'bob' }).ended).toMatchObject({ code: 0 });
      expect(await stack.redis.client.get(LOCK)).toBeNull();
    });

    test('a pause survives the death of the process that waits for it, and holds until its deadline', async () => {
      await stack.reset({ medianMs: 1_000, p99Ms: 1_000 });
      await stack.enqueue(100);
      const worker = stack.processor({ listenEveryMs: 500 });
      const running = worker.run({ trigger: 'test', signal: new AbortController().signal });
      await expect.poll(() => stack.redis.client.get(LOCK)).toMatch(/^worker\//);
      const pausing = start(['pause', '--for', '10s']);
      await expect.poll(() => pausing.output.stdout, { timeout: 10_000 }).toContain('gives way first');
      pausing.child.kill('SIGKILL');
      expect((await running).message).toContain('Paused by anna@');
      expect(await stack.redis.client.get(LOCK)).toMatch(/^pause\/anna@/);
      expect(await stack.redis.client.set(LOCK, 'legacy', { nx: true, ex: 300 })).toBeNull();
      await expect.poll(() => stack.redis.client.get(LOCK), { timeout: 15_000 }).toBeNull();
    });

    test('shows pausing while a worker drains, and ends when it holds', async () => {
      await stack.reset({ medianMs: 500, p99Ms: 500 });
      await stack.enqueue(200);
      const worker = stack.processor({ listenEveryMs: 300 });
      const running = worker.run({ trigger: 'test', signal: new AbortController().signal });
      await expect.poll(() => stack.redis.client.get(LOCK)).toMatch(/^worker\//);
      const paused = await cli('pause');
      expect(paused).toMatchObject({ code: 0 });
      expect(paused.stdout).toMatch(/Pausing: The worker on .* gives way first[\s\S]*Paused until/);
      expect((await running).outcome).toBe('aborted');
    });

    test('the lock is taken away from a worker that hangs only with --force and --yes', async () => {
      await stack.redis.client.set(LOCK, 'worker/elsewhere/7/hangs', { ex: 300 });
      const refused = await cli('pause', '--force');
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
      expect(await stack.redis.client.mget(LOCK, 'email:queue:pause')).toEqual(['worker/elsewhere/7/hangs', null]);
      expect(await cli('pause', '--force', '--yes')).toMatchObject({ code: 0 });
      expect(await stack.redis.client.get(LOCK)).toMatch(/^pause\/anna@/);
    });

    test('a pause that still waits can be waited for again, and then take the lock away', async () => {
      await stack.redis.client.set(LOCK, 'worker/elsewhere/7/hangs', { ex: 300 });
      expect(await cli('pause', '--no-wait', '--for', '1m')).toMatchObject({ code: 0 });
      const again = await cli('pause', '--no-wait', '--for', '2m', '--json');
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('"pausing"') });
      const unsure = await cli('pause', '--force');
      expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
      expect(await stack.redis.client.mget(LOCK, 'email:queue:pause')).toEqual([
        'worker/elsewhere/7/hangs',
        expect.stringMatching(/^pause\/anna@/),
      ]);
      const taken = await cli('pause', '--force', '--yes');
      expect(taken).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Paused until/) });
      expect(await stack.redis.client.mget(LOCK, 'email:queue:pause')).toEqual([
        expect.stringMatching(/^pause\/anna@/),
        null,
      ]);
      const entry = JSON.parse(String(await stack.redis.client.lindex('email:ops:audit', 0)));
      expect(entry).toMatchObject({
        by: 'anna',
        action: 'take the lock away',
        target: expect.stringContaining('elsewhere'),
      });
    });

    test('are refused where nothing may be changed, and without Redis', async () => {
      expect(await start(['pause'], { EMAIL_OPS_READ_ONLY: 'true' }).ended).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('EMAIL_OPS_READ_ONLY'),
      });
      expect(await start(['pause'], { REDIS_URL: '' }).ended).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('KV_REST_API_URL'),
      });
      expect(await cli('pause', '--for', '2s')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('10s and 24h'),
      });
    });
  });
});
