/** Every command of the table, in an environment full of recognisable secrets, against systems that fail and that betray. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnsweringServer, type Responder, startAnsweringServer } from '../support/answering-server.ts';
import { type BadServer, startBadServer } from '../support/bad-server.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { everyCommandLine } from '../support/every-command.ts';
import { filesBelow, openToOthers } from '../support/files.ts';

const canary = (name: string) => `canary-${name}-9f8e7d6c5b4a`;
const JWT = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"role":"service_role"}').toString('base64url')}.${canary('service')}`;
const SECRETS = {
  KV_REST_API_TOKEN: canary('kv'),
  SUPABASE_SERVICE_ROLE_KEY: JWT,
  QSTASH_TOKEN: canary('qstash'),
  QSTASH_CURRENT_SIGNING_KEY: `sig_${canary('current')}`,
  QSTASH_NEXT_SIGNING_KEY: `sig_${canary('next')}`,
  EMAIL_ADMIN_TOKEN: canary('admin'),
  CRON_SECRET: canary('cron'),
  SANDBOX_SMTP_URL: `smtp://user:${canary('smtp')}@127.0.0.1:1`,
};
const FOUND = /canary-(?:kv|service|qstash|current|next|admin|cron|smtp|redis)-9f8e7d6c5b4a/;
const CLOSED = 'http://127.0.0.1:1';
/** Long enough for the timeouts of the systems; what runs until it is told to stop is told then. */
const TOLD_AFTER_MS = 6_000;
const AT_ONCE = 4;
/** Not against foreign systems: tests/real/security-sandbox.test.ts. */
const lines = (await everyCommandLine()).filter(([name]) => name !== 'sandbox');

const addresses = (url: string) => ({
  KV_REST_API_URL: url,
  NEXT_PUBLIC_SUPABASE_URL: url,
  QSTASH_URL: url,
  EMAIL_WORKER_BASE_URL: url,
});

/** Answers with everything that was sent, in all the places where systems put their reasons. */
const betraying = (server: () => AnsweringServer): Responder => {
  let answers = 0;
  return (response) => {
    const said = JSON.stringify(server().requests.at(-1)?.headers);
    const status = [400, 401, 500, 200, 403, 429][answers % 6] ?? 400;
    answers += 1;
    const body = { error: said, message: said, details: said, hint: said, code: 'P0001', success: false };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
};

interface Outcome {
  readonly line: string;
  readonly output: string;
  readonly title: string;
  readonly exitCode: number | null;
}

async function runAll(variables: Readonly<Record<string, string>>, dotEnv = ''): Promise<readonly Outcome[]> {
  const home = temporaryFolder();
  const env = {
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
    DEBUG: 'email-ops:*',
    ...variables,
  };
  const folder = join(home, 'work');
  mkdirSync(folder, { mode: 0o700 });
  const left = [...lines];
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let line = left.shift(); line !== undefined; line = left.shift())
      outcomes.push(await runOne(line, env, folder));
  };
  if (dotEnv !== '') writeFileSync(join(folder, '.env'), dotEnv, { mode: 0o600 });
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const betrayed = filesBelow(home).filter(({ path, text }) => !path.endsWith('/.env') && FOUND.test(text));
  expect(betrayed.map(({ path }) => path)).toEqual([]);
  expect(openToOthers(home)).toEqual([]);
  return outcomes;
}

const INPUT = `${JSON.stringify({ to: 'anna@example.org', subject: 'Hi', html: '<p>Hi</p>' })}\n`;

async function runOne(line: readonly string[], env: Record<string, string>, folder: string): Promise<Outcome> {
  const port = line[0] === 'serve' ? ['--port', '0'] : [];
  const running = startCli([...line, ...port], { env, folder, input: INPUT });
  let title = '';
  const look = setTimeout(() => {
    title = commandLineOf(running.child.pid);
  }, 300);
  const tell = setTimeout(() => running.child.kill('SIGTERM'), TOLD_AFTER_MS);
  const kill = setTimeout(() => running.child.kill('SIGKILL'), 4 * TOLD_AFTER_MS);
  const { stdout, stderr, exitCode } = await running.finished();
  for (const timer of [look, tell, kill]) clearTimeout(timer);
  return { line: line.join(' '), output: stdout + stderr, title, exitCode };
}

/** As every user of the machine sees it. */
function commandLineOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}

function betrayals(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap(({ line, output, title }) => {
    const found = FOUND.exec(output + title);
    return found === null ? [] : [`${line}: …${output.slice(Math.max(0, found.index - 120), found.index + 40)}`];
  });
}

describe('no secret leaves a command', () => {
  let betrayer: AnsweringServer;
  let rudeRedis: BadServer;

  beforeAll(async () => {
    betrayer = await startAnsweringServer((response, path) => betraying(() => betrayer)(response, path));
    betrayer.answer = betraying(() => betrayer);
    rudeRedis = await startBadServer((socket) => {
      socket.once('data', () => undefined);
      socket.write(`-WRONGPASS invalid password ${canary('redis')} for redis://user:${canary('redis')}@host\r\n`);
    });
  });
  afterAll(async () => {
    await betrayer?.[Symbol.asyncDispose]();
    await rudeRedis?.stop();
  });

  it('when nothing can be reached', async () => {
    const outcomes = await runAll({ ...SECRETS, ...addresses(CLOSED) });
    expect(betrayals(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(lines.length);
    expect(outcomes.filter(({ exitCode }) => exitCode === null)).toEqual([]);
  });

  it('when the systems answer with the very keys that they were sent', async () => {
    const outcomes = await runAll({ ...SECRETS, ...addresses(betrayer.url) });
    expect(betrayals(outcomes)).toEqual([]);
    // What is written to Redis and Postgres (audit, runs, alerts, health) is in the bodies; keys are in headers only.
    const written = betrayer.requests.map(({ path, body }) => `${path} ${body}`);
    expect(written.filter((text) => FOUND.test(text))).toEqual([]);
    expect(written.length).toBeGreaterThan(lines.length);
  });

  it('when Redis is reached by TCP with a password, and says it aloud', async () => {
    const { KV_REST_API_TOKEN: _unused, ...secrets } = SECRETS;
    const redisUrl = `redis://user:${canary('redis')}@127.0.0.1:${rudeRedis.port}/0`;
    const { KV_REST_API_URL: _neither, ...others } = addresses(CLOSED);
    expect(betrayals(await runAll({ ...secrets, ...others, REDIS_URL: redisUrl }))).toEqual([]);
  });

  it('when every value is wrong, and comes from .env', async () => {
    const text = Object.entries({ ...SECRETS, ...addresses(`ftp://${canary('kv')}`) })
      .filter(([name]) => !name.endsWith('_URL') || name === 'SANDBOX_SMTP_URL')
      .map(([name, value]) => `${name}="${value} \u001b[31m broken"`);
    const outcomes = await runAll({}, text.join('\n'));
    expect(betrayals(outcomes)).toEqual([]);
    expect(outcomes.find(({ line }) => line === 'status')?.output).toContain('QSTASH_TOKEN contains spaces');
  });
});
