/** Two dashboards, open in terminals over the sandbox's systems: what happens is told by webhook once, whoever sees it first. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOOK_AGAIN_MS } from '../../src/commands/notifier.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { type JoinedSandbox, joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { CLI, temporaryFolder } from '../support/cli.ts';
import { type Served, serve } from '../support/serve.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

/** Each looks that often, and then has to be asked and to answer. */
const POLL = { timeout: 2 * LOOK_AGAIN_MS, interval: 200 };
const OPERATOR = { USER: 'ada', HOSTNAME: 'ops-1' };

describe.skipIf(isTmuxMissing())('an open dashboard with a webhook', () => {
  const state = temporaryFolder();
  const folder = join(state, 'email-ops', 'sandbox');
  const posts: { event: string; text: string }[] = [];
  const events = () => posts.map(({ event }) => event);
  const dashboards: Tmux[] = [];
  let sandbox: JoinedSandbox;
  let redis: RedisConnection;
  let hook: Served;

  beforeAll(async () => {
    hook = await serve(async (request) => {
      posts.push((await request.json()) as (typeof posts)[number]);
      return new Response('ok');
    });
    sandbox = await joinOrStartSandbox({ folder });
    // Of a sandbox nothing is told: here it plays a deployment.
    const { EMAIL_OPS_SANDBOX: _, ...systems } = sandbox.environment;
    const url = systems.KV_REST_API_URL ?? '';
    redis = connectRedis({ kind: 'rest', url, token: systems.KV_REST_API_TOKEN ?? '' });
    await redis.client.del('email:alerts:critical');
    const webhook = { EMAIL_WEBHOOK_URL: hook.url, EMAIL_WEBHOOK_FORMAT: 'json', EMAIL_OPS_ENV: 'staging' };
    for (let each = 0; each < 2; each += 1) {
      const environment = { ...OPERATOR, ...systems, ...webhook, XDG_STATE_HOME: state, HOME: state };
      const tmux = startTmux({ columns: 120, rows: 36, environment });
      dashboards.push(tmux);
      tmux.line(`cd ${state}; ${process.execPath} --disable-warning=ExperimentalWarning ${CLI} watch --interval 1s`);
    }
    await Promise.all(dashboards.map((tmux) => tmux.until('refreshed ', 30_000)));
  }, 60_000);
  afterAll(async () => {
    for (const tmux of dashboards) tmux.stop();
    await redis?.close();
    await sandbox?.leave();
    await stopSandbox(folder);
    await hook?.stop();
    rmSync(state, { recursive: true, force: true });
  });

  const [first, second] = [() => dashboards[0] as Tmux, () => dashboards[1] as Tmux];
  // There is nothing to wait for, the point is that nothing happens: both look again, and none tells again.
  const untilBothLooked = () => delay(LOOK_AGAIN_MS + 2_000);

  it('tells of a critical alert once', async () => {
    await redis.client.lpush('email:alerts:critical', `CRITICAL: resend is down [${new Date().toISOString()}]`);
    await vi.waitFor(() => expect(events()).toEqual(['alert']), POLL);
    expect(posts[0]).toMatchObject({ version: 1, level: 'critical', environment: 'staging' });
    expect(posts[0]?.text).toContain('resend is down');
    await untilBothLooked();
    expect(events()).toEqual(['alert']);
  }, 90_000);

  it('tells of a pause by one of them once, and of its end', async () => {
    first().keys('p');
    await first().until('Pause the queue');
    first().keys('Tab', ...'deploy', 'Enter');
    await vi.waitFor(() => expect(events()).toEqual(['alert', 'paused']), POLL);
    expect(posts[1]?.text).toMatch(/^paused by ada@\S+ until \d\d:\d\d UTC: deploy$/);
    second().keys('p');
    await second().until(/Lift|resumed/);
    if (!second().screen().includes('resumed after')) second().keys('y');
    await vi.waitFor(() => expect(events()).toEqual(['alert', 'paused', 'resumed']), POLL);
  }, 90_000);

  it('tells that it is over when somebody looks after the alert, once', async () => {
    second().keys('3');
    await second().until('resend is down');
    second().keys('a');
    await second().until('1 alert acknowledged');
    await vi.waitFor(() => expect(events().at(-1)).toBe('recovered'), POLL);
    await untilBothLooked();
    expect(events()).toEqual(['alert', 'paused', 'resumed', 'recovered']);
  }, 90_000);
});
