/** The commands of the customer's own description of the system, as written there, against a sandbox with a real redis-server. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@upstash/qstash';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, type Running, runCliProcess, startCli, temporaryFolder } from '../support/cli.ts';
import { findBinary, isMissing } from '../support/real-server.ts';
import { freePort, isRedisServerMissing } from '../support/redis.ts';

const run = promisify(execFile);

/** As the document has it; it names two of the three workers. */
const VERCEL_CRONS = [
  { path: '/api/email/worker/queue-processor', schedule: '*/2 * * * *' },
  { path: '/api/email/worker/health-monitor', schedule: '*/5 * * * *' },
];

describe.skipIf(isRedisServerMissing() || isMissing('curl', findBinary(['curl'])))('the customer’s document', () => {
  const state = temporaryFolder();
  const env = { XDG_STATE_HOME: state };
  let sandbox: Running;
  let exported: Record<string, string> = {};

  beforeAll(async () => {
    sandbox = startCli(['sandbox'], { env });
    await sandbox.untilStdout(/export EMAIL_ADMIN_TOKEN=.*\n/);
    const lines = sandbox.stdout().matchAll(/^export ([A-Z_]+)=(\S+)$/gm);
    exported = Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
    await email('run', 'health-monitor');
  });
  afterAll(async () => {
    sandbox?.child.kill('SIGTERM');
    await sandbox?.finished();
  });

  const email = (...args: readonly string[]) => runCliProcess(args, { env: { ...env, ...exported } });
  const redisCli = async (...words: readonly string[]) => {
    const { stdout } = await run('redis-cli', ['-s', socketBelow(state), ...words], { env: cleanEnvironment() });
    return stdout.trimEnd();
  };

  it('redis-cli GET email:health:latest shows the health', async () => {
    expect(JSON.parse(await redisCli('GET', 'email:health:latest'))).toMatchObject({
      success: true,
      summary: { totalProviders: 4 },
    });
  });

  it('redis-cli LRANGE email:alerts:critical 0 10 shows alerts, each beginning as it must', async () => {
    const lines = (await redisCli('LRANGE', 'email:alerts:critical', '0', '10'))
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.filter((line) => !/^(ERROR|CRITICAL): /.test(line))).toEqual([]);
    expect(await redisCli('TYPE', 'email:alerts:critical')).toMatch(/^(list|none)$/);
  });

  it('redis-cli ZRANGE email:metrics:timeseries -10 -1 shows the newest metrics', async () => {
    const points = (await redisCli('ZRANGE', 'email:metrics:timeseries', '-10', '-1')).split('\n');
    expect(points).toHaveLength(10);
    for (const point of points) {
      expect(JSON.parse(point)).toMatchObject({ healthy_providers: expect.any(Number), total_providers: 4 });
    }
  });

  it('curl works in development without a signature, and nowhere else', async () => {
    const port = await freePort();
    const status = async (words: readonly string[], worker = 'queue-processor') => {
      const url = `http://localhost:${port}/api/email/worker/${worker}`;
      const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', ...words, url], { env: cleanEnvironment() });
      const [body = '', code] = stdout.split(/\n(?=\d+$)/);
      return { code: Number(code), body };
    };
    const served = async (extra: Record<string, string>, calls: () => Promise<void>) => {
      const server = startCli(['serve', '--port', String(port)], { env: { ...env, ...exported, ...extra } });
      await server.untilStdout(/Listening on/);
      try {
        await calls();
      } finally {
        server.child.kill('SIGTERM');
        await server.finished();
      }
    };
    await served({ NODE_ENV: 'development' }, async () => {
      for (const worker of ['queue-processor', 'health-monitor']) {
        const { code, body } = await status([], worker);
        expect([worker, code, JSON.parse(body).success]).toEqual([worker, 200, true]);
      }
    });
    await served({ NODE_ENV: 'production' }, async () => {
      expect((await status([])).code).toBe(403);
      expect((await status(['-X', 'POST', '-H', 'Upstash-Signature: xxx'])).code).toBe(401);
    });
  });

  it('the other keys that the document names are as it says', async () => {
    expect(Number(await redisCli('TTL', 'email:health:latest'))).toBeLessThanOrEqual(300);
    expect(Number(await redisCli('LLEN', 'email:alerts:critical'))).toBeLessThanOrEqual(100);
    await email('queue', 'enqueue', '--to', 'maria@example.org', '--subject', 'Hi', '--html', '<p>Hi</p>');
    const { stderr } = await email('run', 'queue-processor');
    expect(stderr).toMatch(/^\[email-worker\] Processing \d+ emails?\.\.\.$/m);
    expect(await redisCli('HKEYS', 'email:stats:daily')).toMatch(/processed[\s\S]*successful[\s\S]*failed/);
  });

  it('vercel.json has the crons of the document', async () => {
    const { stdout } = await email('schedules', 'vercel');
    expect(JSON.parse(stdout).crons).toEqual(expect.arrayContaining(VERCEL_CRONS));
  });

  it('what `qstash schedule create` makes is what `schedules list` shows and `schedules sync` keeps', async () => {
    const { QSTASH_URL: baseUrl = '', QSTASH_TOKEN: token = '' } = exported;
    const client = new Client({ baseUrl, token, devMode: false });
    const base = 'https://foodshare.club';
    for (const { path, schedule } of VERCEL_CRONS) {
      const name = `email-${path.split('/').at(-1)}`;
      await client.schedules.create({ destination: `${base}${path}`, cron: schedule, scheduleId: name, retries: 1 });
    }
    const listed = await email('schedules', 'list');
    expect(listed.stdout).toMatch(/email-queue-processor\s.*\*\/2 \* \* \* \*/);
    expect(listed.stdout).toMatch(/email-health-monitor\s.*\*\/5 \* \* \* \*/);
    const deployed = { ...env, ...exported, EMAIL_WORKER_BASE_URL: base };
    const { stdout } = await runCliProcess(['schedules', 'sync', '--dry-run'], { env: deployed });
    expect(stdout).toMatch(/^= email-queue-processor$/m);
    expect(stdout).toMatch(/^= email-health-monitor$/m);
    await runCliProcess(['schedules', 'sync', '--yes'], { env: { ...env, ...exported } });
  });
});

/** Where the sandbox's redis-server listens, unless the path of its folder is too long for a socket. */
function socketBelow(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const socket = files.find((name) => name.endsWith('redis.sock'));
  if (socket === undefined) throw new Error(`No socket below ${folder}: ${files.join(', ')}`);
  return join(folder, socket);
}
