/** The views Schedules and Runs in a real terminal, over the sandbox: keys are pressed, and the effect is at QStash and in Redis. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@upstash/qstash';
import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAudit } from '../../src/data/audit.ts';
import { type JoinedSandbox, joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'email-ops-schedules-'));
const folder = join(home, 'email-ops', 'sandbox');

describe.skipIf(isTmuxMissing())('the views of schedules and runs in a terminal', () => {
  let sandbox: JoinedSandbox;
  let qstash: Client;
  let tmux: Tmux;
  const environment = (name: string) => sandbox.environment[name] ?? '';
  const deadLetters = async () => (await qstash.dlq.listMessages()).messages.length;

  beforeAll(async () => {
    sandbox = await joinOrStartSandbox({ folder });
    const [baseUrl, token] = [environment('QSTASH_URL'), environment('QSTASH_TOKEN')];
    qstash = new Client({ baseUrl, token, devMode: false, retry: false, enableTelemetry: false });
    // Nothing is at this path, so QStash gives up at once.
    const url = `${environment('EMAIL_WORKER_BASE_URL')}/api/nobody`;
    await qstash.publishJSON({ url, body: {}, retries: 0 });
    await qstash.publishJSON({ url, body: {}, retries: 0 });
    await vi.waitFor(async () => expect(await deadLetters()).toBe(2), { timeout: 15_000, interval: 100 });
    tmux = startTmux({ columns: 120, rows: 36, environment: { XDG_STATE_HOME: home, HOME: home } });
    tmux.line(`${process.execPath} --disable-warning=ExperimentalWarning ${cli} watch`);
    await tmux.until('refreshed ', 30_000);
  });
  afterAll(async () => {
    tmux?.stop();
    await sandbox?.leave();
    await stopSandbox(folder);
    rmSync(home, { recursive: true, force: true });
  });

  it('triggers a schedule through QStash and follows the message to its end', async () => {
    tmux.keys('5');
    await tmux.until(/email-queue-processor[\s\S]*Dead letters of QStash · 2/);
    tmux.keys('j', 't');
    await tmux.until('Trigger email-health-monitor');
    tmux.keys('y');
    await tmux.until('email-health-monitor was triggered: delivered after', 30_000);
  });

  it('pauses a schedule after a yes, shows it at once, and resumes it', async () => {
    const isPaused = async () => (await qstash.schedules.get('email-health-monitor')).isPaused;
    tmux.keys('P');
    await tmux.until('Pause email-health-monitor');
    tmux.keys('y');
    await tmux.until(/email-health-monitor .*PAUSED/);
    expect(await isPaused()).toBe(true);
    tmux.keys('P');
    await tmux.until('email-health-monitor goes on');
    expect(await isPaused()).toBe(false);
  });

  it('deletes one dead letter and delivers the other again', async () => {
    tmux.keys('G', 'x');
    await tmux.until('Delete 1 dead letter');
    tmux.keys('y');
    await tmux.until('1 dead letter deleted at QStash');
    expect(await deadLetters()).toBe(1);
    await tmux.until('Dead letters of QStash · 1');
    tmux.keys('G', 'R');
    await tmux.until('Deliver 1 dead letter again');
    tmux.keys('y');
    await tmux.until('1 dead letter handed to QStash again');
  });

  it('runs a worker here, shows its log line and its record, and who did what', async () => {
    tmux.keys('6', 'u');
    await tmux.until(/quota-sync +ok .*4 providers synced +console/, 30_000);
    await tmux.until(/\[quota-sync\] /);
    tmux.keys('n');
    await tmux.until(/delete dead delivery/);
    const redis = new Redis({
      url: environment('KV_REST_API_URL'),
      token: environment('KV_REST_API_TOKEN'),
      automaticDeserialization: false,
    });
    const { entries } = await createAudit(redis).read();
    expect(entries.map(({ action, outcome }) => `${action}: ${outcome}`)).toEqual([
      'run: ok',
      'retry dead delivery: ok',
      'delete dead delivery: ok',
      'resume schedule: ok',
      'pause schedule: ok',
      'trigger: ok',
    ]);
  });
});
