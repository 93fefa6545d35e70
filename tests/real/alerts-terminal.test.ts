/** The views of alerts and providers in a real terminal, over the sandbox: what a key does is seen in Redis and Postgres. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAlerts } from '../../src/data/alerts.ts';
import { createAudit } from '../../src/data/audit.ts';
import { createProviderGateway } from '../../src/data/providers.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { systemClock } from '../../src/domain/time.ts';
import { type JoinedSandbox, joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const POLL = { timeout: 15_000, interval: 200 };

describe.skipIf(isTmuxMissing())('alerts and providers in a terminal', () => {
  const state = mkdtempSync(join(tmpdir(), 'email-ops-alerts-'));
  const folder = join(state, 'email-ops', 'sandbox');
  let sandbox: JoinedSandbox;
  let redis: RedisConnection;
  let supabase: SupabaseConnection;
  let tmux: Tmux;

  beforeAll(async () => {
    sandbox = await joinOrStartSandbox({ folder });
    const { environment } = sandbox;
    const value = (name: string) => environment[name] ?? '';
    redis = connectRedis({ kind: 'rest', url: value('KV_REST_API_URL'), token: value('KV_REST_API_TOKEN') });
    supabase = connectSupabase({
      url: value('NEXT_PUBLIC_SUPABASE_URL'),
      serviceRoleKey: value('SUPABASE_SERVICE_ROLE_KEY'),
    });
    const at = new Date().toISOString();
    await redis.client.del('email:alerts:critical');
    await redis.client.lpush(
      'email:alerts:critical',
      `ERROR: one [${at}]`,
      `CRITICAL: circuit of brevo opened [${at}]`,
    );
    tmux = startTmux({ columns: 120, rows: 36, environment: { XDG_STATE_HOME: state, HOME: state, USER: 'ada' } });
    tmux.line(`cd ${state}; ${process.execPath} --disable-warning=ExperimentalWarning ${cli} watch --interval 1s`);
    await tmux.until('refreshed ', 30_000);
  });
  afterAll(async () => {
    tmux?.stop();
    await redis?.close();
    await supabase?.close();
    await sandbox?.leave();
    await stopSandbox(folder);
    rmSync(state, { recursive: true, force: true });
  });

  const feed = () => createAlerts(redis.client, systemClock).read();
  const lastAudit = async () => (await createAudit(redis.client).read()).entries[0];

  it('shows alerts with what to check first, and acknowledges what is selected', async () => {
    tmux.keys('3');
    await tmux.until('docs/runbook.md#circuit-open');
    tmux.keys('a');
    await tmux.until('1 alert acknowledged');
    const { alerts } = await feed();
    expect(alerts.find(({ text }) => text.startsWith('circuit'))?.acknowledged?.by).toBe('ada');
    expect(await lastAudit()).toMatchObject({ by: 'ada', action: 'acknowledge', outcome: 'ok' });
  });

  it('acknowledges all after a question, and can be told no', async () => {
    tmux.keys('A');
    await tmux.until(/Acknowledge \d+ alert/);
    tmux.keys('n');
    await vi.waitUntil(() => !tmux.screen().includes('n back'), POLL);
    expect((await feed()).alerts.some(({ acknowledged }) => acknowledged === null)).toBe(true);
    tmux.keys('A');
    await tmux.until(/Acknowledge \d+ alert/);
    tmux.keys('y');
    await vi.waitUntil(async () => (await feed()).alerts.every(({ acknowledged }) => acknowledged !== null), POLL);
  });

  it('draws the providers’ history from Postgres, disables one and enables it again', async () => {
    const gateway = createProviderGateway(supabase.client);
    const disabled = async () => (await gateway.read()).find(({ provider }) => provider === 'resend')?.disabled ?? null;
    tmux.keys('4');
    await tmux.until(/resend, 6 h · [\d,]+ sent/);
    tmux.keys('d');
    await tmux.until('Disable resend');
    tmux.keys('2', 'h', 'Tab', 'w', 'h', 'y', 'Enter');
    await tmux.until(/– resend +disabled/);
    expect(await disabled()).toMatchObject({ reason: 'why' });
    expect(await lastAudit()).toMatchObject({ by: 'ada', action: 'disable provider' });
    await tmux.until('d enable');
    tmux.keys('d');
    await tmux.until('Enable resend');
    tmux.keys('y');
    await vi.waitUntil(async () => (await disabled()) === null, POLL);
    await tmux.until('d disable');
  });

  it('opens the details of a provider, and follows the window’s size', async () => {
    tmux.keys('Enter');
    await tmux.until('By day, UTC');
    tmux.resize(80, 24);
    await tmux.until('Failures of the last 24 h');
    tmux.keys('q');
  });
});
