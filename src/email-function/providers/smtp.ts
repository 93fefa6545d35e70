/**
 * A real SMTP server as a provider, for development and for the sandbox. Node only: nothing that is deployed to Deno imports this
 * file. nodemailer is loaded at the first email, so a program that never sends by SMTP never holds it in memory.
 */
import type { Transporter } from 'nodemailer';
import type { Provider } from '../../domain/email.ts';
import { type Email, type EmailProvider, type Sender, type SendResult, senderOf } from '../provider.ts';

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

/** What the server said by number; without one, how the connection ended. A refused login is the operator's to mend. */
function toRefusal(error: unknown): Extract<SendResult, { ok: false }> {
  const { message, responseCode, code } = error as { message?: string; responseCode?: number; code?: string };
  return {
    ok: false,
    kind: kindOf(responseCode, code),
    message: `${responseCode ?? code ?? 'SMTP'}: ${message ?? String(error)}`,
    retryAfterMs: null,
    period: 'day',
  };
}

function kindOf(responseCode: number | undefined, code: string | undefined): 'permanent' | 'refused' | 'transient' {
  if (code === 'EAUTH') return 'refused';
  return responseCode !== undefined && responseCode >= 500 ? 'permanent' : 'transient';
}
