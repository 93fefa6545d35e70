import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRuns } from '../../src/data/runs.ts';
import { type Running, runCliProcess, startCli } from '../support/cli.ts';
import { ADMIN_TOKEN, type Deployment, startDeployment } from '../support/deployment.ts';
import { isMailStackMissing } from '../support/mail-stack.ts';

describe.skipIf(isMailStackMissing())('a deployment with serve and QStash', () => {
  let deployment: Deployment;
  let server: Running | null = null;

  beforeAll(async () => {
    // Every two minutes is every second.
    deployment = await startDeployment({ speed: 120 });
  });
  afterAll(async () => {
    await deployment?.stop();
  });
  beforeEach(async () => {
    await deployment.stack.reset();
    const { port, environment } = deployment;
    server = startCli(['serve', '--port', String(port)], { env: environment });
    await server.untilStdout(/Listening on/);
  });
  afterEach(async () => {
    await email('schedules', 'pause');
    server?.child.kill('SIGTERM');
    await server?.finished();
  });

  const email = (...args: readonly string[]) => runCliProcess(args, { env: deployment.environment });
  const admin = async (path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${deployment.port}/api/admin/email/${path}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${deployment.port}${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  const runs = async () => (await createRuns(deployment.stack.redis.client).read()).runs;

  it('is called by the schedules that `schedules sync` makes, and sends what is queued', async () => {
    const { stack } = deployment;
    expect(await email('schedules', 'sync')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    const first = await email('schedules', 'sync', '--yes');
    expect(first.stdout).toContain('+ email-queue-processor  */2 * * * *');
    expect(first.stdout).toContain('1,032 QStash messages a day, the free tier has 1,000: it does not fit.');
    const ids = await stack.enqueue(30);
    await vi.waitFor(async () => expect(await stack.counts()).toEqual({ completed: 30 }), { timeout: 30_000 });
    expect([...stack.delivered(ids).values()]).toEqual(Array.from({ length: 30 }, () => 1));
    await vi.waitFor(
      async () => {
        const called = (await runs()).filter(({ trigger }) => trigger === 'qstash').map(({ worker }) => worker);
        expect(new Set(called)).toContain('health-monitor');
        expect(new Set(called)).toContain('queue-processor');
      },
      { timeout: 30_000 },
    );

    expect((await email('schedules', 'sync')).stdout).toContain('Everything matches: nothing to do.');
    const list = await email('schedules', 'list');
    expect(list.stdout).toMatch(/email-health-monitor +\*\/5 \* \* \* \* +active/);
  });

  it('replaces the three schedules by one tick that runs what is due', async () => {
    const { exitCode, stdout } = await email('schedules', 'sync', '--one-tick', '--yes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('720 QStash messages a day, the free tier has 1,000: it fits.');
    await email('schedules', 'resume', 'email-tick');
    await vi.waitFor(async () => expect(new Set((await runs()).map(({ worker }) => worker)).size).toBe(3), {
      timeout: 30_000,
    });
    const listed = JSON.parse((await email('schedules', 'list', '--json')).stdout);
    expect(listed.schedules.map(({ id }: { id: string }) => id)).toEqual(['email-tick']);
    const audit = (await deployment.stack.redis.client.lrange('email:ops:audit', 0, -1)).map(String);
    expect(audit).toContainEqual(expect.stringMatching(/"action":"create schedule","target":"email-tick"/));
  });

  it('keeps paused what was paused, when it replaces three schedules by one tick and back', async () => {
    const states = async () =>
      JSON.parse((await email('schedules', 'list', '--json')).stdout).schedules.map(
        ({ id, isPaused }: { id: string; isPaused: boolean }) => `${id} ${isPaused ? 'paused' : 'active'}`,
      );
    await email('schedules', 'sync', '--yes');
    await email('schedules', 'pause');
    const toTick = await email('schedules', 'sync', '--one-tick', '--yes');
    expect(toTick.stdout).toMatch(/^\+ email-tick .*paused as what it replaces/m);
    expect(await states()).toEqual(['email-tick paused']);

    await email('schedules', 'sync', '--yes');
    const three = ['email-queue-processor', 'email-health-monitor', 'email-quota-sync'];
    expect(new Set(await states())).toEqual(new Set(three.map((id) => `${id} paused`)));

    await email('schedules', 'resume', 'email-queue-processor');
    const inPart = await email('schedules', 'sync', '--one-tick', '--yes');
    expect(inPart.stdout).toContain('but email-tick starts active and calls their workers again');
    expect(await states()).toEqual(['email-tick active']);
  });

  it('runs a worker remotely and follows the message until it is delivered', async () => {
    const { exitCode, stdout, stderr } = await email('run', 'quota-sync', '--remote');
    expect(stderr).toContain('QStash: ');
    expect(stdout).toContain('delivered');
    expect(exitCode).toBe(0);
    expect((await runs())[0]).toMatchObject({ worker: 'quota-sync', trigger: 'qstash' });
    const entry = JSON.parse(String(await deployment.stack.redis.client.lindex('email:ops:audit', 0)));
    expect(entry).toMatchObject({ action: 'trigger', target: 'email-quota-sync', outcome: 'ok' });
  });

  it('pauses, extends and resumes by the admin API, and writes down who did it', async () => {
    const { stack } = deployment;
    await stack.enqueue(1);
    const paused = await admin('pause', { operator: 'anna', minutes: 10, reason: 'resend outage' });
    expect(paused).toMatchObject({ status: 200, body: { success: true, state: 'paused' } });
    expect((await admin('run', {})).body).toMatchObject({
      outcome: 'skipped',
      message: expect.stringContaining('Paused by anna'),
    });
    expect((await admin('pause', { operator: 'bert' })).status).toBe(409);
    expect(await admin('pause', { minutes: 60, extend: true })).toMatchObject({ status: 200 });
    expect(await stack.redis.client.ttl('email:queue:lock')).toBeGreaterThan(3_500);

    expect((await admin('resume', { operator: 'bert' })).status).toBe(409);
    expect(await admin('resume', { operator: 'bert', yes: true })).toMatchObject({
      status: 200,
      body: { state: 'running' },
    });
    expect((await admin('run', { worker: 'queue-processor' })).body).toMatchObject({ outcome: 'ok', successful: 1 });
    const audit = (await stack.redis.client.lrange('email:ops:audit', 0, -1)).map((entry) => JSON.parse(String(entry)));
    expect(audit.map(({ by, action }) => `${by} ${action}`)).toEqual([
      'admin-api run',
      'bert resume',
      'bert resume',
      'admin-api pause',
      'bert pause',
      'admin-api run',
      'anna pause',
    ]);
  });

  it('says of a pause that still waits for a worker that it waits', async () => {
    const { redis } = deployment.stack;
    await redis.client.set('email:queue:lock', 'worker/elsewhere/7/works', { ex: 60 });
    const waiting = { status: 202, body: { success: true, state: 'pausing' } };
    expect(await admin('pause', { operator: 'anna', minutes: 10 })).toMatchObject(waiting);
    expect(await admin('pause', { operator: 'anna', minutes: 20, extend: true })).toMatchObject(waiting);
    expect(await admin('pause', { operator: 'bert' })).toMatchObject({ status: 409, body: { state: 'pausing' } });
    expect(await admin('resume', { operator: 'bert' })).toMatchObject({ status: 409, body: { state: 'pausing' } });
    expect(await admin('resume', { operator: 'anna' })).toMatchObject({ status: 200, body: { state: 'running' } });
  });

  it('answers the admin API in the shapes that the app knows', async () => {
    const { stack } = deployment;
    await stack.setLimits({ resend: { daily: 100, sent: 75 }, brevo: { daily: 300, sent: 280 } });
    await stack.enqueue(2);
    const quotas = (await admin('quotas')).body as unknown as readonly Record<string, unknown>[];
    expect(quotas[0]).toMatchObject({
      provider: 'resend',
      status: 'warning',
      usage_percentage: 75,
      emails_sent: 75,
      remaining: 25,
      daily_limit: 100,
    });
    expect(quotas[1]).toMatchObject({ provider: 'brevo', status: 'exhausted', usage_percentage: 93.3 });
    expect((await admin('stats')).body).toMatchObject({
      totalSent24h: 0,
      totalQueued: 2,
      successRate: 100,
      providerStats: [],
    });
    expect((await admin('queue?status=queued&limit=1')).body).toMatchObject([{ status: 'queued', emailType: 'chat' }]);
    expect((await admin('status')).body).toMatchObject({ version: 1, verdict: { exitCode: expect.any(Number) } });
    for (const part of ['alerts', 'metrics', 'runs', 'logs', 'health']) expect((await admin(part)).status).toBe(200);
  });

  it('refuses what it should at the admin API', async () => {
    const path = '/api/admin/email/status';
    expect((await get(path)).status).toBe(401);
    expect((await get(path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await admin('nothing')).status).toBe(404);
    expect((await admin('constructor')).status).toBe(404);
    expect((await admin('status', {})).status).toBe(405);
    expect((await admin('pause')).status).toBe(405);
    expect(await admin('run', { worker: 'rm' })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('worker') },
    });
    for (const query of ['status=nonsense', 'type=nonsense', 'cursor=nonsense', 'limit=0'])
      expect((await admin(`queue?${query}`)).status, query).toBe(400);
    for (const query of ['provider=nonsense', 'status=nonsense', 'since=yesterday'])
      expect((await admin(`logs?${query}`)).status, query).toBe(400);
    expect((await admin('pause', { reason: 'x'.repeat(20_000) })).status).toBe(413);
  });

  it('offers health, readiness and metrics', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(JSON.parse((await get('/readyz')).text)).toEqual({ isReady: true, redis: 'ok', postgres: 'ok' });
    await admin('run', { worker: 'queue-processor' });
    const { text } = await get('/metrics');
    expect(text).toContain('email_worker_runs_total{worker="queue-processor",outcome="ok"} 1');
    expect(text).toMatch(/email_queue_emails\{status="queued"\} \d/);
    expect(text).toContain('email_provider_quota_limit{provider="brevo",window="day"}');
    expect((await get('/elsewhere')).status).toBe(404);
  });

  it('has its schedule left to QStash by `work`, which ends cleanly', async () => {
    await email('schedules', 'sync', '--yes');
    await email('schedules', 'pause');
    await email('schedules', 'resume', 'email-queue-processor');
    const working = startCli(['work'], { env: deployment.environment });
    await working.untilStdout(
      /QStash calls queue-processor \(email-queue-processor\); kept here: health-monitor, quota-sync/,
    );
    working.child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await working.finished();
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\[schedule\] Stopped\.\n$/);
  });

  it('changes nothing where only looking is allowed', async () => {
    const env = { ...deployment.environment, EMAIL_OPS_READ_ONLY: 'true' };
    for (const args of [['work'], ['schedules', 'pause'], ['schedules', 'sync', '--one-tick', '--yes']]) {
      const { exitCode, stderr } = await runCliProcess(args, { env });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('EMAIL_OPS_READ_ONLY is set')]);
    }
    const reading = startCli(['serve', '--port', '0'], { env });
    await reading.untilStdout(/Workers: not served; they need EMAIL_OPS_READ_ONLY to be unset/);
    const base = /http:\/\/127\.0\.0\.1:\d+/.exec(reading.stdout())?.[0];
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await fetch(`${base}/api/admin/email/run`, { method: 'POST', headers })).status).toBe(403);
    expect((await fetch(`${base}/api/email/worker/tick`, { method: 'POST' })).status).toBe(503);
    expect((await fetch(`${base}/api/admin/email/stats`, { headers })).status).toBe(200);
    reading.child.kill('SIGTERM');
    expect((await reading.finished()).exitCode).toBe(0);
  });

  it('says that a plain GET runs a worker in development', async () => {
    const env = { ...deployment.environment, NODE_ENV: 'development' };
    const open = startCli(['serve', '--port', '0'], { env });
    await open.untilStdout(/Anybody who reaches this address runs a worker by a plain GET/);
    open.child.kill('SIGTERM');
    expect((await open.finished()).exitCode).toBe(0);
  });

  it('says at once when its port is taken', async () => {
    const { exitCode, stderr } = await email('serve', '--port', String(deployment.port));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^email-ops: 127\.0\.0\.1:\d+ cannot be listened on\. .*--port\. \(listen EADDRINUSE.*\)$/m);
  });

  it('drains on SIGTERM: what is in flight is finished and written', async () => {
    const { stack } = deployment;
    await stack.reset({ medianMs: 400, p99Ms: 500 });
    const ids = await stack.enqueue(60);
    const running = admin('run', {});
    await vi.waitFor(() => expect(stack.delivered(ids).size).toBeGreaterThan(5), { timeout: 10_000 });
    server?.child.kill('SIGTERM');
    const answer = await running;
    const ended = await server?.finished();
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(answer.body).toMatchObject({ outcome: 'aborted' });
    const { completed = 0, queued = 0, processing = 0 } = await stack.counts();
    expect(processing).toBe(0);
    expect(completed + queued).toBe(60);
    expect(stack.delivered(ids).size).toBe(completed);
    expect(await stack.redis.client.exists('email:queue:lock')).toBe(0);
  });
});
