/** `email-ops alerts` against a real Redis, each call a process of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAudit } from '../../src/data/audit.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { fingerprintOf } from '../../src/domain/alert.ts';
import { runCliProcess } from '../support/cli.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';

const DOWN = 'brevo is down: 503 for maria@example.org';
const ID = fingerprintOf('critical', DOWN);

describe.skipIf(isRedisServerMissing())('the command for alerts', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  const run = (...args: string[]) =>
    runCliProcess(['alerts', ...args], { env: { REDIS_URL: server.url, USER: 'grace' } });
  const list = async (...args: string[]) => JSON.parse((await run('list', '--json', ...args)).stdout).alerts;

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
    const at = new Date(Date.now() - 300_000).toISOString();
    await redis.client.lpush('email:alerts:critical', 'ERROR: dead letters', `CRITICAL: ${DOWN} [${at}]`);
  });

  test('lists what is open, addresses masked, with the entry of the runbook', async () => {
    const { stdout, exitCode } = await run('list');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^${ID.slice(0, 8)}  5 min  critical +1  brevo is down: 503 for m\\*\\*\\*@`, 'm'),
    );
    expect(await list()).toMatchObject([{ runbook: 'provider-down' }, { runbook: 'another-alert', at: null }]);
  });

  test('shows what an alert means and what to check first', async () => {
    const { stdout } = await run('show', ID.slice(0, 6));
    expect(stdout).toContain('not acknowledged');
    expect(stdout).toMatch(/^1\. .*\n/m);
    expect(stdout).toContain('(email-ops run health-monitor)');
  });

  test('acknowledges one, says by whom, and writes it to the audit list', async () => {
    expect(await run('ack', ID.slice(0, 8))).toMatchObject({ exitCode: 0, stdout: '1 alert acknowledged.\n' });
    expect(await list()).toHaveLength(1);
    expect((await run('list', '--all')).stdout).toMatch(/critical +1 +grace +brevo is down/);
    const { entries } = await createAudit(redis.client).read();
    expect(entries).toMatchObject([{ by: 'grace', action: 'acknowledge', target: ID, outcome: 'ok' }]);
  });

  test('asks before it acknowledges all, and does so when told', async () => {
    expect(await run('ack', '--all')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await list()).toHaveLength(2);
    expect(JSON.parse((await run('ack', '--all', '--yes', '--json')).stdout).acknowledged).toHaveLength(2);
    expect(await run('list')).toMatchObject({ stdout: 'No alert is open.\n' });
    expect((await run('list', '--all')).stdout).not.toContain('No alert');
    expect(await run('ack', '--all')).toMatchObject({ exitCode: 0, stdout: 'No alert is open.\n' });
  });

  test('tells in one line what cannot be done', async () => {
    expect(await run('ack', 'ffffffff')).toMatchObject({
      exitCode: 1,
      stderr: 'email-ops: There is no alert ffffffff. email-ops alerts list --all shows their ids.\n',
    });
    const env = { REDIS_URL: server.url, EMAIL_OPS_READ_ONLY: '1' };
    const refused = await runCliProcess(['alerts', 'ack', '--all', '--yes'], { env });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('EMAIL_OPS_READ_ONLY is set')]);
    expect(await list()).toHaveLength(2);
  });
});
