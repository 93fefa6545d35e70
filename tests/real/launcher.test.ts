/** The sandbox as a real process: started, shared, left, killed. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readHandle } from '../../src/sandbox/handle.ts';
import {
  type JoinedSandbox,
  joinOrStartSandbox,
  joinRunning,
  type Progress,
  type SandboxOptions,
  stopSandbox,
} from '../../src/sandbox/launcher.ts';

let folder: string;
const joined: JoinedSandbox[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
});
afterEach(async () => {
  await Promise.all(joined.splice(0).map((sandbox) => sandbox.leave()));
  await stopSandbox(folder);
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: SandboxOptions = {}): Promise<JoinedSandbox> {
  const sandbox = await joinOrStartSandbox({ folder, ...options });
  joined.push(sandbox);
  return sandbox;
}

async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const deadlineMs = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await delay(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Those that were told the folder on their command line: the sandbox, its redis-server and the shell that watches that. */
function processesIn(path: string): string[] {
  const { stdout } = spawnSync('pgrep', ['-f', path], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

async function rest(sandbox: JoinedSandbox, path: string, init: RequestInit = {}): Promise<unknown> {
  const key = sandbox.environment.SUPABASE_SERVICE_ROLE_KEY ?? '';
  const response = await fetch(`${sandbox.url}/rest/v1/${path}`, {
    ...init,
    headers: { apikey: key, authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers },
  });
  expect(response.status, path).toBeLessThan(300);
  return response.json();
}

async function redis(sandbox: JoinedSandbox, command: readonly string[]): Promise<unknown> {
  const response = await fetch(sandbox.environment.KV_REST_API_URL ?? '', {
    method: 'POST',
    headers: { authorization: `Bearer ${sandbox.environment.KV_REST_API_TOKEN}` },
    body: JSON.stringify(command),
  });
  return ((await response.json()) as { result: unknown }).result;
}

describe('the sandbox process', () => {
  test('starts with progress, answers on loopback only, and mail flows through it', async () => {
    const progress: Progress[] = [];
    const sandbox = await start({ onProgress: (step) => progress.push(step), speed: 60 });
    expect(progress.map(({ step }) => step)).toContain('Postgres');
    expect(progress.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
    expect(new URL(sandbox.url).hostname).toBe('127.0.0.1');
    await until('an email is completed', async () => {
      const completed = (await rest(sandbox, 'email_queue?status=eq.completed&select=id&limit=1')) as unknown[];
      return completed.length > 0;
    });
    await until('health is cached', async () => (await redis(sandbox, ['EXISTS', 'email:health:latest'])) === 1);
  });

  test('keeps the tokens of its start to the user alone', async () => {
    await start();
    expect(statSync(join(folder, 'handle.json')).mode & 0o777).toBe(0o600);
    const handle = readFileSync(join(folder, 'handle.json'), 'utf8');
    const log = readFileSync(join(folder, 'sandbox.log'), 'utf8');
    for (const secret of Object.values((JSON.parse(handle) as { environment: Record<string, string> }).environment)) {
      if (/_/.test(secret) && secret.length > 20) expect(log).not.toContain(secret);
    }
  });

  test('is shared by a second console and outlives the first', async () => {
    const first = await start();
    const second = await start();
    expect(first.startedHere).toBe(true);
    expect(second.startedHere).toBe(false);
    expect(second.pid).toBe(first.pid);
    await first.leave();
    await delay(3_000); // longer than its grace: nothing to wait for, the point is that nothing happens
    expect(isAlive(second.pid)).toBe(true);
    await second.leave();
    await until('it stops by itself', () => !isAlive(second.pid));
    expect(readHandle(folder)).toBeNull();
  });

  test('tells those who hold it when it is killed, and not those who let go of it', async () => {
    const [first, second] = [await start(), await start()];
    const told: string[] = [];
    void first.ended.then(() => told.push('first'));
    void second.ended.then(() => told.push('second'));
    await first.leave();
    process.kill(second.pid, 'SIGKILL');
    await second.ended;
    expect(told).toEqual(['second']);
  });

  test('is one when two consoles start it at the same moment', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.pid).toBe(second.pid);
  });

  test('stops when the console that started it is killed', async () => {
    const script = `import { joinOrStartSandbox } from ${JSON.stringify(new URL('../../src/sandbox/launcher.ts', import.meta.url).href)};
      const sandbox = await joinOrStartSandbox({ folder: ${JSON.stringify(folder)} });
      process.stdout.write(String(sandbox.pid) + '\\n');
      setInterval(() => {}, 1000);`;
    const console = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve, reject) => {
      console.stdout.once('data', (data) => resolve(Number(data)));
      console.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    });
    expect(isAlive(pid)).toBe(true);
    console.kill('SIGKILL');
    await until('it stops by itself', () => !isAlive(pid));
  });

  test('ends waiting at once when told to stop, and what was starting ends by itself', async () => {
    const stop = new AbortController();
    let stoppedAt = 0;
    const starting = joinOrStartSandbox({
      folder,
      signal: stop.signal,
      onProgress: () => {
        stoppedAt ||= performance.now();
        stop.abort();
      },
    });
    await expect(starting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(performance.now() - stoppedAt).toBeLessThan(500);
    await until('nothing of it is left', () => processesIn(folder).length === 0);
    expect(readHandle(folder)).toBeNull();
    expect(readFileSync(join(folder, 'sandbox.log'), 'utf8')).toContain('stopped while starting');
    const after = await start();
    expect(await redis(after, ['PING'])).toBe('PONG');
  });

  test('whoever waits for a start that was told to stop starts it anew', async () => {
    const stop = new AbortController();
    const begun = Promise.withResolvers<void>();
    const first = joinOrStartSandbox({
      folder,
      signal: stop.signal,
      onProgress: ({ done }) => {
        begun.resolve();
        if (done > 0) stop.abort();
      },
    });
    await begun.promise;
    const [second] = await Promise.all([start(), expect(first).rejects.toThrow()]);
    expect(await redis(second, ['PING'])).toBe('PONG');
  });

  test('killed with -9, starts again with all that was acknowledged', async () => {
    const before = await start();
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    for (const key of keys) {
      await rest(before, 'rpc/enqueue_emails', {
        method: 'POST',
        body: JSON.stringify({
          p_emails: [
            {
              key,
              recipientEmail: 'a@example.org',
              emailType: 'chat',
              templateData: { subject: key, html: '<p>x</p>' },
            },
          ],
        }),
      });
      expect(await redis(before, ['RPUSH', 'kept', key])).toBeGreaterThan(0);
    }
    process.kill(before.pid, 'SIGKILL');
    await until('it is dead', () => !isAlive(before.pid));
    const after = await start();
    expect(after.pid).not.toBe(before.pid);
    const rows = (await rest(after, 'email_queue?enqueue_key=like.key-*&select=enqueue_key')) as {
      enqueue_key: string;
    }[];
    expect(rows.map((row) => row.enqueue_key).sort()).toEqual([...keys].sort());
    expect(await redis(after, ['LRANGE', 'kept', '0', '-1'])).toEqual(keys);
  });

  test('a start that was over at once leaves nothing behind that the next one cannot deliver', async () => {
    const first = await start();
    await first.leave();
    await stopSandbox(folder);
    const second = await start();
    const qstash = async (path: string) => {
      const headers = { authorization: `Bearer ${second.environment.QSTASH_TOKEN}` };
      return (await fetch(`${second.environment.QSTASH_URL}/v2/${path}`, { headers })).json();
    };
    await until('the workers were called', async () => {
      const { events } = (await qstash('events?state=DELIVERED')) as { events: { url: string }[] };
      return new Set(events.filter(({ url }) => url.startsWith(second.url)).map(({ url }) => url)).size === 3;
    });
    expect(await qstash('dlq')).toMatchObject({ messages: [] });
  });

  test('begins anew with --fresh, but not while it runs', async () => {
    const first = await start();
    await redis(first, ['SET', 'old', '1']);
    await expect(joinOrStartSandbox({ folder, fresh: true })).rejects.toThrow(/Stop it first/);
    await first.leave();
    await stopSandbox(folder);
    const fresh = await start({ fresh: true });
    expect(await redis(fresh, ['GET', 'old'])).toBeNull();
  });

  test('refuses whoever has no token', async () => {
    const sandbox = await start();
    for (const path of [
      '/sandbox/attach',
      '/redis/get/x',
      '/rest/v1/email_queue',
      '/functions/v1/email/outbox',
      '/qstash/v2/schedules',
    ]) {
      const response = await fetch(sandbox.url + path, { signal: AbortSignal.timeout(5_000) });
      expect(response.status, path).toBe(401);
    }
  });

  test('refuses to join when nothing runs', async () => {
    expect(await joinRunning(folder)).toBeNull();
    expect(await stopSandbox(folder)).toBe(false);
  });
});
