/** The sandbox as other users and programs of the same machine meet it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, runCliProcess, startCli, temporaryFolder } from '../support/cli.ts';
import { filesBelow, openToOthers } from '../support/files.ts';

const CANARY = 'canary-smtp-9f8e7d6c5b4a';

describe('the sandbox', () => {
  const home = temporaryFolder();
  const env = {
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
    SANDBOX_SMTP_URL: `smtp://user:${CANARY}@127.0.0.1:1`,
    DEBUG: 'email-ops:*',
  };
  let sandbox: Running;
  let variables: Record<string, string>;
  let pid: number;

  beforeAll(async () => {
    sandbox = startCli(['sandbox', '--json'], { env });
    await sandbox.untilStdout(/\}\n/);
    const told = JSON.parse(sandbox.stdout());
    variables = told.environment;
    pid = told.pid;
  });
  afterAll(async () => {
    sandbox?.child.kill('SIGTERM');
    await sandbox?.finished();
    await runCliProcess(['sandbox', 'stop'], { env });
  });

  const secrets = () =>
    Object.entries(variables)
      .filter(([name]) => /TOKEN|KEY/.test(name))
      .map(([, value]) => value);
  const base = () => variables.NEXT_PUBLIC_SUPABASE_URL ?? '';

  it('listens on loopback only, and its Redis on no port at all', () => {
    const listening = processesFrom(pid).flatMap(listeningAddresses);
    expect(listening.length).toBeGreaterThan(0);
    expect(listening.filter((address) => address !== '127.0.0.1')).toEqual([]);
  });

  it('answers nobody without its token: not the systems, not the controls, not the workers', async () => {
    const doors = [
      ['POST', '/redis'],
      ['POST', '/redis/pipeline'],
      ['POST', '/redis/multi-exec'],
      ['GET', '/redis/get/email:queue:lock'],
      ['GET', '/rest/v1/email_queue'],
      ['POST', '/rest/v1/rpc/email_ops_overview'],
      ['POST', '/functions/v1/email'],
      ['GET', '/functions/v1/email/outbox'],
      ['GET', '/qstash/v2/keys'],
      ['GET', '/qstash/v2/schedules'],
      ['POST', '/qstash/v2/publish/http://127.0.0.1:1/x'],
      ['POST', '/api/email/worker/queue-processor'],
      ['GET', '/api/email/worker/queue-processor'],
      ['GET', '/api/admin/email/status'],
      ['POST', '/api/admin/email/pause'],
      ['GET', '/sandbox/attach'],
    ] as const;
    // One key opens one door, as outside: that of Redis is none for Postgres.
    const keys = [undefined, '', 'wrong', variables.KV_REST_API_TOKEN ?? ''];
    for (const [method, path] of doors) {
      for (const key of path.startsWith('/redis') ? keys.slice(0, 3) : keys) {
        const headers: Record<string, string> =
          key === undefined ? {} : { authorization: `Bearer ${key}`, apikey: key };
        const answer = await fetch(`${base()}${path}`, {
          method,
          headers,
          ...(method === 'POST' ? { body: '{}' } : {}),
        });
        expect([method, path, key?.slice(0, 5), answer.status]).toEqual([
          method,
          path,
          key?.slice(0, 5),
          expect.toSatisfy((status: number) => [401, 403, 404].includes(status), 'is refused'),
        ]);
        const text = await answer.text();
        for (const secret of secrets()) expect(text).not.toContain(secret);
      }
    }
  });

  it('writes nothing that others may read, and keeps its keys out of logs and command lines', async () => {
    const { stdout, stderr } = await runCliProcess(['run', 'queue-processor'], { env });
    expect(stdout + stderr).not.toContain(CANARY);
    expect(openToOthers(home)).toEqual([]);
    const holding = (secret: string) =>
      filesBelow(home)
        .filter(({ text }) => text.includes(secret))
        .map(({ path }) => path.split('/').at(-1));
    expect(holding(CANARY)).toEqual([]);
    // Only the handle has them, and QStash's store, which the signing keys survive in.
    for (const secret of secrets()) expect(holding(secret).filter((name) => name?.endsWith('.log'))).toEqual([]);
    for (const each of processesFrom(pid)) {
      const seen = readFileSync(`/proc/${each}/cmdline`, 'utf8') + readFileSync(`/proc/${each}/comm`, 'utf8');
      for (const secret of [...secrets(), CANARY]) expect(seen).not.toContain(secret);
    }
  });
});

/** The process and its children. */
function processesFrom(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => processesFrom(Number(child))))];
}

function listeningAddresses(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
  const LISTENS = '0A';
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENS && inodes.includes(fields[9] ?? ''))
      .map((fields) => addressOf(fields[1] ?? '')),
  );
}

/** `0100007F:1F90` → `127.0.0.1`; of IPv6 the raw digits. */
function addressOf(local: string): string {
  const digits = local.split(':')[0] ?? '';
  if (digits.length !== 8) return digits;
  return [6, 4, 2, 0].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)).join('.');
}
