/** Telling people: what is told, to whom it is told, and that many who look tell once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Systems } from '../../src/commands/connect.ts';
import { createNotifier, type Notifier } from '../../src/commands/notifier.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { startCli } from '../support/cli.ts';
import { manualClock } from '../support/clock.ts';
import { startDeployment } from '../support/deployment.ts';
import { isMailStackMissing } from '../support/mail-stack.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';
import { type Served, serve } from '../support/serve.ts';
import { aBlindSnapshot, aSnapshot, NOON } from '../support/snapshot.ts';

describe.skipIf(isRedisServerMissing())('telling people by webhook', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  let hook: Served;
  let status = 200;
  let bodies: unknown[] = [];
  let log: string[] = [];
  const clock = manualClock(NOON);
  const stop = new AbortController();

  beforeAll(async () => {
    server = await startRedisServer();
    redis = connectRedis({ kind: 'tcp', url: server.url });
    hook = await serve(async (request) => {
      if (status === 200) bodies.push(await request.json());
      return new Response('ok', { status });
    });
  });
  afterAll(async () => {
    stop.abort();
    await redis?.close();
    await hook?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    [bodies, log, status] = [[], [], 200];
    await redis.client.flushdb();
  });

  function notifier(
    format: 'slack' | 'json' = 'json',
    environment = { name: 'production', isSandbox: false },
  ): Notifier {
    const write = (line: string) => log.push(line);
    const config = { webhook: { url: `${hook.url}/secret-path`, format }, readOnly: false, environment };
    const systems = { redis, config, clock } as unknown as Systems;
    const made = createNotifier(systems, { info: write, warn: write, error: write }, stop.signal);
    if (made === null) throw new Error('nobody to tell');
    return made;
  }

  const at = (minutes: number, text: string) =>
    `CRITICAL: ${text} [${new Date(NOON + minutes * MINUTE_MS).toISOString()}]`;
  const withAlerts = (minutes: number, ...entries: readonly string[]): Snapshot => {
    const now = NOON + minutes * MINUTE_MS;
    const base = aSnapshot({ takenAtEpochMs: now, environment: { name: 'production', isSandbox: false } });
    return { ...base, alerts: loaded(parseAlerts(entries, {}, now), now) };
  };
  const look = async (snapshot: Snapshot, who = notifier()) => {
    clock.advance(MINUTE_MS);
    await who.look(snapshot);
  };
  const events = () => bodies.map((body) => (body as { event: string }).event);

  it('tells of a new alert once, however many consoles look at once, and of its repetitions never', async () => {
    const snapshot = withAlerts(0, at(-1, 'resend is down'));
    await Promise.all(Array.from({ length: 5 }, () => notifier().look(snapshot)));
    expect(bodies).toEqual([
      {
        version: 1,
        event: 'alert',
        level: 'critical',
        environment: 'production',
        text: 'critical: resend is down',
        at: '2026-11-23T11:59:00.000Z',
        fingerprint: expect.any(String),
      },
    ]);
    await look(withAlerts(5, at(4, 'resend is down'), at(-1, 'resend is down')));
    expect(bodies).toHaveLength(1);
  });

  it('tells when it is over, and of the next time again', async () => {
    await look(withAlerts(0, at(-1, 'resend is down')));
    await look(withAlerts(5, at(-1, 'resend is down')));
    expect(events()).toEqual(['alert']);
    await look(withAlerts(20, at(-1, 'resend is down')));
    await look(withAlerts(22, at(-1, 'resend is down')));
    expect(events()).toEqual(['alert', 'recovered']);
    await look(withAlerts(60, at(59, 'resend is down'), at(-1, 'resend is down')));
    expect(events()).toEqual(['alert', 'recovered', 'alert']);
  });

  it('tells of a pause and of its end, also when it ended by itself', async () => {
    const lock = {
      kind: 'paused' as const,
      operator: 'anna',
      host: 'ops-1',
      startedAtEpochMs: NOON,
      reason: 'resend outage',
      expiresAtEpochMs: NOON + 30 * MINUTE_MS,
    };
    const paused = aSnapshot({ lock: loaded({ lock, announcedPause: null }, NOON) });
    await look(paused);
    await look(paused);
    await look(aSnapshot());
    await look(aSnapshot());
    expect(events()).toEqual(['paused', 'resumed']);
    expect(bodies[0]).toMatchObject({ text: 'paused by anna@ops-1 until 12:30 UTC: resend outage', level: 'warning' });
  });

  it('holds nothing for over that it cannot see', async () => {
    await look(withAlerts(0, at(-1, 'resend is down')));
    await look({ ...aBlindSnapshot({ code: 'unreachable', message: 'gone' }), takenAtEpochMs: NOON + DAY_MS });
    expect(events()).toEqual(['alert']);
  });

  it('tells of nothing that is long past, nor of what legacy monitors wrote before it came', async () => {
    await look(withAlerts(0, at(-300, 'long ago'), 'ERROR: without a time'));
    expect(bodies).toEqual([]);
    await look(withAlerts(2, 'ERROR: a new one without a time', 'ERROR: without a time'));
    expect(bodies).toMatchObject([{ text: 'error: a new one without a time' }]);
  });

  it('tries again later when the address does not take it, and never says the address', async () => {
    status = 500;
    const snapshot = withAlerts(0, at(-1, 'resend is down'));
    await look(snapshot);
    expect(bodies).toEqual([]);
    expect(log.join()).toContain('HTTP 500');
    status = 200;
    await look(snapshot);
    expect(events()).toEqual(['alert']);
    expect(log.join()).not.toContain('secret-path');
  });

  it('writes for Slack what nobody can make a mention or a link of, addresses masked', async () => {
    await look(withAlerts(0, at(-1, '<!channel> *maria@example.org* https://evil.example')), notifier('slack'));
    const [{ text }] = bodies as [{ text: string }];
    expect(text).toMatch(/^:rotating_light: \*Email, production\*: critical: /);
    expect(text).not.toMatch(/[<>]|:\/\/|maria@/);
  });

  it('keeps a sandbox to itself', () => {
    expect(() => notifier('json', { name: 'sandbox', isSandbox: true })).toThrow('nobody to tell');
  });
});

describe.skipIf(isMailStackMissing())('work and serve of one deployment', () => {
  it('tell once, and not again after a restart', async () => {
    const posts: string[] = [];
    const hook = await serve(async (request) => {
      posts.push(await request.text());
      return new Response('ok');
    });
    const deployment = await startDeployment();
    const { redis } = deployment.stack;
    const env = { ...deployment.environment, EMAIL_WEBHOOK_URL: hook.url };
    const commands = [
      ['work', '--force-local'],
      ['serve', '--port', '0'],
    ];
    try {
      await redis.client.lpush('email:alerts:critical', `CRITICAL: resend is down [${new Date().toISOString()}]`);
      for (let round = 1; round <= 2; round += 1) {
        const running = commands.map((args) => startCli(args, { env }));
        await Promise.all(running.map((each) => each.untilStdout(/\[schedule\]|Listening on/)));
        // Each has looked once: the memory of what was told is as old as its look.
        await vi.waitFor(async () => expect(await redis.client.hexists('email:ops:told', 'since')).toBe(1), 20_000);
        await vi.waitFor(() => expect(posts).toHaveLength(1), 20_000);
        // Whoever is stopped before the answer has come cannot know that it was told.
        const isTold = () => running.some((each) => each.stdout().includes('[notify] Told by webhook'));
        if (round === 1) await vi.waitFor(() => expect(isTold()).toBe(true), 20_000);
        for (const { child } of running) child.kill('SIGTERM');
        const ends = await Promise.all(running.map((each) => each.finished()));
        const told = ends.filter(({ stdout }) => stdout.includes('[notify] Told by webhook: alert'));
        expect(told).toHaveLength(round === 1 ? 1 : 0);
      }
      expect(JSON.parse(posts[0] ?? '').text).toContain('resend is down');
    } finally {
      await deployment.stop();
      await hook.stop();
    }
  });
});
