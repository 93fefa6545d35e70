/**
 * Who may start a worker by HTTP: QStash with a signature over body and public URL, Vercel cron with its secret, and in
 * development anybody by GET. Everything else is refused, and what is not configured is closed.
 */
import { Receiver } from '@upstash/qstash';
import { cleanText } from '../domain/text.ts';
import { systemClock } from '../domain/time.ts';
import { BodyTooLargeError, hasBearer, readBody } from './http.ts';

export interface DeliveryCheckOptions {
  readonly signingKeys: { readonly current: string; readonly next: string } | null;
  /** Where the endpoints are deployed. Behind a proxy a request's own URL is not what was signed. */
  readonly baseUrl: string | null;
  readonly cronSecret: string | null;
  readonly isDevelopment: boolean;
}

export type Checked =
  | { readonly kind: 'accepted'; readonly trigger: string; readonly messageId: string | null }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 405 | 413 | 503; readonly reason: string };

/** QStash sends `{}`, or nothing; whoever sends more has mistaken the address. */
const BODY_LIMIT_BYTES = 64 * 1_024;
/** Clocks differ; a signature is good for five minutes anyway. */
const CLOCK_TOLERANCE_SECONDS = 10;

/** `path` is the endpoint's own, as in the schedules. Answers 405 for all but GET and POST. */
export type DeliveryCheck = (request: Request, path: string) => Promise<Checked>;

export function createDeliveryCheck(options: DeliveryCheckOptions): DeliveryCheck {
  const { signingKeys, baseUrl } = options;
  const receiver =
    signingKeys === null
      ? null
      : new Receiver({
          currentSigningKey: signingKeys.current,
          nextSigningKey: signingKeys.next,
          // Without it QSTASH_DEV in the environment would swap in keys that everybody knows.
          devMode: false,
        });
  return async (request, path) => {
    if (request.method === 'GET') return checkGet(request, options);
    if (request.method !== 'POST') return refused(405, 'Only POST, and GET for cron, are served here.');
    const signature = request.headers.get('upstash-signature');
    if (signature === null) return refused(401, 'The Upstash-Signature header is missing.');
    if (receiver === null) {
      return refused(
        503,
        'QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY are not set: nothing can be verified.',
      );
    }
    if (baseUrl === null) return refused(503, 'EMAIL_WORKER_BASE_URL is not set: nothing can be verified.');
    try {
      const body = await readBody(request, BODY_LIMIT_BYTES);
      const url = `${baseUrl}${path}${new URL(request.url).search}`;
      await receiver.verify({ signature, body, url, clockTolerance: CLOCK_TOLERANCE_SECONDS });
    } catch (error) {
      if (error instanceof BodyTooLargeError) return refused(413, error.message);
      const why = cleanText(String((error as Error).message), 200);
      return refused(401, `The signature is not valid: ${why}.${timeFault(signature, systemClock.nowEpochMs())}`);
    }
    return { kind: 'accepted', trigger: 'qstash', messageId: messageIdOf(request) };
  };
}

function checkGet(request: Request, { cronSecret, isDevelopment }: DeliveryCheckOptions): Checked {
  if (hasBearer(request, cronSecret)) return { kind: 'accepted', trigger: 'vercel-cron', messageId: null };
  if (isDevelopment) return { kind: 'accepted', trigger: 'development', messageId: null };
  return refused(403, 'GET is for cron with CRON_SECRET, and for development.');
}

/**
 * What the signature itself says of its time, as a hint for whoever looks into it: the SDK tells only why the key that it tried
 * last did not fit, and a machine with a wrong clock refuses every call.
 */
function timeFault(signature: string, nowEpochMs: number): string {
  const { nbf, exp } = claimsOf(signature);
  const nowSeconds = nowEpochMs / 1_000;
  if (Number(nbf) > nowSeconds + CLOCK_TOLERANCE_SECONDS)
    return ' It was signed at a later time than it is here: check the clock.';
  if (Number(exp) < nowSeconds - CLOCK_TOLERANCE_SECONDS) return ' It has expired, or the clock here is ahead.';
  return '';
}

/** Nobody vouches for them. */
function claimsOf(signature: string): { readonly nbf?: unknown; readonly exp?: unknown } {
  try {
    const payload = (signature.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    return (JSON.parse(atob(payload)) as object | null) ?? {};
  } catch {
    return {};
  }
}

/** Null for one that is not an id: it becomes part of a Redis key. */
function messageIdOf(request: Request): string | null {
  const id = request.headers.get('upstash-message-id');
  return id !== null && /^[\w.:~-]{1,200}$/.test(id) ? id : null;
}

function refused(status: Extract<Checked, { kind: 'refused' }>['status'], reason: string): Checked {
  return { kind: 'refused', status, reason };
}
