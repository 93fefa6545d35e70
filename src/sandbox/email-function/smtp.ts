/** Really sends, by SMTP. nodemailer is loaded at the first email, so a sandbox without SMTP never holds it in memory. */
import type { Transporter } from 'nodemailer';
import { DEFAULT_FROM, DEFAULT_FROM_NAME, type Delivery, type Email, type Transport } from './transport.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;
const CONNECTIONS = 5;

/** `url` as nodemailer takes it: `smtp://user:password@host:port` or `smtps://…`. */
export function smtpTransport(url: string): Transport {
  let opened: Promise<Transporter> | null = null;
  return {
    isReal: true,
    deliver: async (email) => {
      opened ??= openTransporter(url);
      try {
        const transporter = await opened;
        const sent = await transporter.sendMail(toMessage(email));
        return { ok: true, messageId: sent.messageId };
      } catch (error) {
        return toFailure(error);
      }
    },
    close: () => {
      opened?.then((transporter) => transporter.close()).catch(() => {});
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

function toMessage(email: Email) {
  return {
    from: { name: email.fromName ?? DEFAULT_FROM_NAME, address: email.from ?? DEFAULT_FROM },
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

/** SMTP: 5xx is final, 4xx and everything about the connection may pass. A refused login is the operator's to mend. */
function toFailure(error: unknown): Delivery {
  const { message, responseCode, code } = error as { message?: string; responseCode?: number; code?: string };
  const permanent = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH';
  return {
    ok: false,
    failure: permanent ? 'permanent' : 'transient',
    message: `${responseCode ?? code ?? 'SMTP'}: ${message ?? String(error)}`,
  };
}
