/**
 * A deployment as a customer has it: Postgres, Redis and email function behind one Supabase address, QStash of the sandbox at a
 * speed of its own, and the environment that points programs at all of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQStash, type QStash } from '../../src/sandbox/qstash/qstash.ts';
import { type MailStack, startMailStack } from './mail-stack.ts';
import { freePort } from './redis.ts';
import { type Served, serve } from './serve.ts';

export interface Deployment {
  readonly stack: MailStack;
  readonly qstash: QStash;
  /** Where `serve` is expected to listen. */
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const ADMIN_TOKEN = 'admin-token-for-tests';

/** `speed` is how many times faster than life schedules fire. */
export async function startDeployment({ speed = 1 } = {}): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-qstash-'));
  const stack = await startMailStack();
  const qstash = createQStash({ folder, token: 'qstash-token-for-tests', speed });
  qstash.start();
  const qstashServed: Served = await serve((request) => qstash.fetch(request));
  const supabase: Served = await serve((request) => supabaseFront(request, stack));
  const port = await freePort();
  return {
    stack,
    qstash,
    port,
    environment: {
      REDIS_URL: stack.redisUrl,
      NEXT_PUBLIC_SUPABASE_URL: supabase.url,
      SUPABASE_SERVICE_ROLE_KEY: stack.rest.key,
      QSTASH_URL: qstashServed.url,
      QSTASH_TOKEN: 'qstash-token-for-tests',
      QSTASH_CURRENT_SIGNING_KEY: qstash.keys.current,
      QSTASH_NEXT_SIGNING_KEY: qstash.keys.next,
      EMAIL_WORKER_BASE_URL: `http://127.0.0.1:${port}`,
      EMAIL_ADMIN_TOKEN: ADMIN_TOKEN,
    },
    stop: async () => {
      await qstash.stop();
      await qstashServed.stop();
      await supabase.stop();
      await stack.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Supabase has REST API and functions at one address; the stack has them at two. */
async function supabaseFront(request: Request, stack: MailStack): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith('/functions/')) return stack.function.fetch(request);
  const headers = new Headers(request.headers);
  for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
  const body = ['GET', 'HEAD'].includes(request.method) ? null : await request.arrayBuffer();
  const answer = await fetch(`${stack.rest.url}${pathname}${search}`, { method: request.method, headers, body });
  const answered = new Headers(answer.headers);
  // fetch has undone both; the bytes below are plain.
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) answered.delete(name);
  const bytes = await answer.arrayBuffer();
  return new Response(bytes.byteLength === 0 ? null : bytes, { status: answer.status, headers: answered });
}
