/** An email function in a folder of its own, and how the tests speak to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createEmailFunction,
  type EmailFunction,
  type EmailFunctionOptions,
} from '../../../src/sandbox/email-function/function.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';

export const SERVICE_KEY = 'sb_secret_test';
const URL_OF_FUNCTION = 'http://127.0.0.1:1/functions/v1/email';

export interface TestFunction extends AsyncDisposable {
  readonly function: EmailFunction;
  readonly clock: ManualClock;
  readonly folder: string;
  /** POSTs a body as an authorised caller. */
  call(body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: Answer; headers: Headers }>;
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answer }>;
  /** Stops it and opens another one on the same folder. */
  restart(changes?: Partial<EmailFunctionOptions>): Promise<void>;
}

/** Answers are checked by the tests, field by field. */
// biome-ignore lint/suspicious/noExplicitAny: what came over the wire has no type here
export type Answer = any;

/** No time passes while it works, and providers never fail by chance, unless `changes` say so. */
export function startFunction(changes: Partial<EmailFunctionOptions> = {}): TestFunction {
  const folder = mkdtempSync(join(tmpdir(), 'email-function-'));
  const clock = manualClock();
  const calm = { failureRate: 0 };
  const open = (more: Partial<EmailFunctionOptions>) =>
    createEmailFunction({
      folder,
      clock,
      serviceKey: SERVICE_KEY,
      seed: 'test',
      wait: async () => {},
      providers: { resend: calm, brevo: calm, mailersend: calm, aws_ses: calm },
      ...more,
    });
  let current = open(changes);
  const send = async (request: Request) => {
    const response = await current.fetch(request);
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
  };
  return {
    get function() {
      return current;
    },
    clock,
    folder,
    call: (body, headers = {}) =>
      send(
        new Request(URL_OF_FUNCTION, {
          method: 'POST',
          headers: { authorization: `Bearer ${SERVICE_KEY}`, 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
    request: (method, path, body) =>
      send(
        new Request(URL_OF_FUNCTION + path, {
          method,
          headers: { apikey: SERVICE_KEY },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      ),
    restart: async (more = {}) => {
      await current.stop();
      current = open({ ...changes, ...more });
    },
    [Symbol.asyncDispose]: async () => {
      await current.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function aSend(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    action: 'send',
    to: 'ana@example.org',
    subject: 'Apples near you',
    html: '<p>Three kilos</p>',
    provider: 'resend',
    ...changes,
  };
}
