/**
 * Upstash's REST API in front of the sandbox's Redis: what the unmodified `@upstash/redis` calls, and the path form that
 * people type into curl. Web-standard `Request` to `Response`; it neither listens nor stores.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Answer, type Execute, RedisAway, type RedisCommand, type Reply } from './execute.ts';

export interface BridgeOptions {
  readonly execute: Execute;
  /** The bearer token that callers must show. */
  readonly token: string;
  /** Path under which the bridge is mounted, for example `/redis`. Root unless told. */
  readonly prefix?: string;
  /** Larger requests are refused, as Upstash refuses over 10 MB on its free plan. */
  readonly maxBodyBytes?: number;
}

export type Bridge = (request: Request) => Promise<Response>;

/** Makes the handler. What goes wrong is an answer with `{"error": …}`, as Upstash does it; it throws only where we are wrong. */
export function createUpstashBridge(options: BridgeOptions): Bridge {
  const { execute, prefix = '', maxBodyBytes = 10_000_000 } = options;
  const isToken = tokenCheck(options.token);
  let requests = 0;

  return async (request) => {
    requests += 1;
    const base64 = request.headers.get('upstash-encoding') === 'base64';
    const { status, body } = await respond(request).catch(failure);
    const headers = { 'content-type': 'application/json', 'upstash-sync-token': `sandbox-${requests}` };
    const text = JSON.stringify(base64 ? encodeBody(body) : body);
    return new Response(request.method === 'HEAD' ? null : text, { status, headers });
  };

  async function respond(request: Request): Promise<Outcome> {
    if (!['GET', 'HEAD', 'POST', 'PUT'].includes(request.method)) refuse(405, 'ERR method not allowed');
    const url = new URL(request.url);
    const token = bearer(request) ?? url.searchParams.get('_token');
    url.searchParams.delete('_token');
    if (token === null || !isToken(token)) refuse(401, 'WRONGPASS invalid or missing auth token');
    const path = pathWithin(url.pathname, prefix);
    const isBodied = request.method === 'POST' || request.method === 'PUT';
    const body = isBodied ? await readBody(request, maxBodyBytes) : '';

    if (path === 'pipeline') return single(await execute(batch(body, 'pipeline'), 'each'));
    if (path === 'multi-exec') return single(await execute(batch(body, 'multi-exec'), 'atomic'));
    const command = path === '' && isBodied ? parseCommand(parseJson(body)) : pathCommand(path, url, body);
    const answers = await execute([permitted(command)], 'each');
    return single(isBatch(answers) ? (answers[0] ?? { error: 'ERR no answer' }) : answers);
  }
}

interface Outcome {
  readonly status: number;
  readonly body: Answer | readonly Answer[];
}

/** A refusal before any command ran. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function refuse(status: number, message: string): never {
  throw new Refusal(status, message);
}

function failure(error: unknown): Outcome {
  if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
  if (error instanceof RedisAway) return { status: 503, body: { error: `ERR ${error.message}` } };
  throw error;
}

/** A failed lone command is HTTP 400; errors within a pipeline stay with their commands under HTTP 200. */
function single(body: Answer | readonly Answer[]): Outcome {
  return { status: !isBatch(body) && 'error' in body ? 400 : 200, body };
}

function isBatch(body: Answer | readonly Answer[]): body is readonly Answer[] {
  return Array.isArray(body);
}

function batch(body: string, kind: string): RedisCommand[] {
  const commands = parseJson(body);
  if (!Array.isArray(commands)) refuse(400, `ERR failed to parse ${kind} request`);
  if (commands.length === 0) refuse(400, `ERR empty ${kind} request`);
  return commands.map((command) => permitted(parseCommand(command)));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return refuse(400, 'ERR failed to parse command');
  }
}

function parseCommand(command: unknown): RedisCommand {
  if (!Array.isArray(command) || command.length === 0) refuse(400, 'ERR failed to parse command');
  return command.map((part) =>
    ['string', 'number', 'boolean'].includes(typeof part) ? String(part) : refuse(400, 'ERR failed to parse command'),
  );
}

/** `/set/key?EX=100` with an optional body: path, then body, then query make up the command. */
function pathCommand(path: string, url: URL, body: string): RedisCommand {
  if (path === '') refuse(400, 'ERR empty command');
  const parts = path.split('/').map(decodePart);
  const query = [...url.searchParams].flatMap(([name, value]) => (value === '' ? [name] : [name, value]));
  return [...parts, ...(body === '' ? [] : [body]), ...query];
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse(400, 'ERR failed to parse command');
  }
}

/** All callers share one connection to the server: a command that changes its state, blocks or stops it is not for them. */
const FORBIDDEN = new Set(
  (
    'ACL AUTH BGREWRITEAOF BGSAVE BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER CONFIG DEBUG ' +
    'DISCARD EXEC FAILOVER HELLO LATENCY MIGRATE MODULE MONITOR MOVE MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY ' +
    'READWRITE REPLCONF REPLICAOF RESET RESTORE-ASKING SAVE SELECT SHUTDOWN SLAVEOF SLOWLOG SSUBSCRIBE SUBSCRIBE ' +
    'SUNSUBSCRIBE SWAPDB SYNC UNSUBSCRIBE UNWATCH WAIT WAITAOF WATCH XREAD XREADGROUP'
  ).split(' '),
);

function permitted(command: RedisCommand): RedisCommand {
  const name = (command[0] ?? '').toUpperCase();
  if (FORBIDDEN.has(name)) refuse(400, `ERR Command is not available: '${name}'`);
  return command;
}

function bearer(request: Request): string | null {
  return /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? null;
}

/** Compares by digest, in constant time: neither length nor prefix of the token can be measured. */
function tokenCheck(token: string): (candidate: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}

function pathWithin(pathname: string, prefix: string): string {
  const rest = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : pathname;
  return rest.replace(/^\/+/, '').replace(/\/+$/, '');
}

async function readBody(request: Request, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = Number(request.headers.get('content-length') ?? 0);
  if (size > maxBytes) refuse(400, 'ERR max request size exceeded');
  size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) refuse(400, 'ERR max request size exceeded');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function encodeBody(body: Answer | readonly Answer[]): unknown {
  return isBatch(body) ? body.map(encodeAnswer) : encodeAnswer(body);
}

/** Upstash encodes every string but `OK`; the SDK makes that exception for a whole result only, never inside an array. */
function encodeAnswer(answer: Answer): Answer {
  if ('error' in answer || answer.result === 'OK') return answer;
  return { result: encode(answer.result) };
}

function encode(reply: Reply): Reply {
  if (typeof reply === 'string') return Buffer.from(reply).toString('base64');
  if (reply === null || typeof reply === 'number') return reply;
  return reply.map(encode);
}
