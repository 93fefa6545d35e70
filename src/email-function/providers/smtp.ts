/**
 * A real SMTP server as a provider, for development and for the sandbox. Node only: nothing that is deployed to Deno imports this
 * file. nodemailer is loaded at the first email, so a program that never sends by SMTP never holds it in memory.
 */
import type { Transporter } from 'nodemailer';
import type { Provider } from '../../domain/email.ts';
import { safeReason } from '../../domain/send-failure.ts';
import { type Email, type EmailProvider, type Sender, type SendRefusal, senderOf } from '../provider.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;
const CONNECTIONS = 5;

export interface SmtpOptions {
  /** In whose name it sends: SMTP servers have no place among the four. */
  readonly name: Provider;
  /** As nodemailer takes it: `smtp://user:password@host:port` or `smtps://…`. */
  readonly url: string;
  readonly sender: Sender;
}

export interface SmtpProvider extends EmailProvider {
  /** Idempotent. */
  close(): void;
}

export function createSmtp({ name, url, sender }: SmtpOptions): SmtpProvider {
  let opened: Promise<Transporter> | null = null;
  const transporter = () => {
    opened ??= openTransporter(url);
    return opened;
  };
  return {
    name,
    isConfigured: true,
    knowsKeys: false,
    checkEveryMs: 60_000,
    send: async (email) => {
      try {
        const sent = await (await transporter()).sendMail(toMessage(email, sender));
        return { ok: true, messageId: sent.messageId };
      } catch (error) {
        return toRefusal(error);
      }
    },
    checkHealth: async () => {
      const startedAtMs = performance.now();
      const check = await (await transporter()).verify().then(
        () => ({ status: 'ok' as const, message: 'Operational.' }),
        (error: unknown) => ({ status: 'error' as const, message: toRefusal(error).message }),
      );
      return { ...check, latencyMs: Math.round(performance.now() - startedAtMs) };
    },
    readQuota: async () => null,
    close: () => {
      opened?.then((each) => each.close()).catch(() => {});
      opened = null;
    },
  };
}

async function openTransporter(url: string): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
  });
}

function toMessage(email: Email, preset: Sender) {
  return {
    from: senderOf(email, preset),
    // As an address record: a comma in the text must not become a second recipient.
    to: { name: '', address: email.to },
    subject: email.subject,
    html: email.html,
    ...(email.text !== undefined && { text: email.text }),
    ...(email.replyTo !== undefined && { replyTo: email.replyTo }),
    headers: {
      'X-Email-Provider': email.provider,
      ...(email.idempotencyKey !== undefined && { 'X-Idempotency-Key': email.idempotencyKey }),
    },
  };
}

/**
 * What the server said by number (RFC 5321 §4.2.1): 4xx for now, 5xx for good. Its numbers are not those of HTTP, where 451 is for
 * good, so the message says whose they are. Where the connection ended without one, the email may have been taken.
 */
function toRefusal(error: unknown): SendRefusal {
  const { message, responseCode = 0, code = 'SMTP' } = error as SmtpError;
  const words = safeReason(message ?? String(error));
  if (code === 'EAUTH') return refusal('refused', `401 smtp_login: ${words}`);
  if (responseCode >= 400) {
    return refusal(responseCode >= 500 ? 'permanent' : 'transient', `${responseCode} smtp: ${words}`);
  }
  if (code === 'EDNS' || NEVER_ARRIVED.test(words)) {
    return refusal('outage', `EHOSTUNREACH: The SMTP server could not be reached; nothing was sent. ${words}`);
  }
  if (HUNG_UP.test(code)) {
    return refusal('unanswered', `504 no_answer: The SMTP server hung up; it may have sent the email. ${words}`);
  }
  return refusal('transient', `${code}: ${words}`);
}

/** As nodemailer throws it. Its `command` is of no use: it says CONN also of a connection that ends after the email. */
interface SmtpError {
  readonly message?: string;
  readonly responseCode?: number;
  readonly code?: string;
}

/** No connection, or one without a greeting. */
const NEVER_ARRIVED =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|^Connection timeout|^Greeting never received/;
const HUNG_UP = /^(ECONNECTION|ESOCKET|ETIMEDOUT|ECONNRESET|EPIPE)$/;

function refusal(kind: SendRefusal['kind'], message: string): SendRefusal {
  return { ok: false, kind, message, retryAfterMs: null, period: 'day' };
}
