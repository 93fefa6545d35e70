import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { classifySendFailure } from '../../../src/domain/send-failure.ts';
import { DEFAULT_SENDER } from '../../../src/email-function/provider.ts';
import { createSmtp } from '../../../src/email-function/providers/smtp.ts';
import { startMailbox } from '../../support/mailbox.ts';
import { aSend, startFunction } from './setup.ts';

test('with an SMTP server, emails really arrive, and each attempt is in the outbox', async () => {
  await using mailbox = await startMailbox();
  await using email = startFunction({ smtpUrl: mailbox.url });
  const sent = await email.call(
    aSend({ idempotencyKey: 'row-1', from: 'hello@foodshare.club', fromName: 'Food, Share', text: 'Three kilos' }),
  );
  expect(sent).toMatchObject({ status: 200, body: { provider: 'resend' } });

  const [arrived] = mailbox.received;
  expect(arrived).toMatchObject({ from: 'hello@foodshare.club', to: ['ana@example.org'] });
  expect(arrived?.raw).toContain('Subject: Apples near you');
  expect(arrived?.raw).toContain('X-Idempotency-Key: row-1');
  expect(arrived?.raw).toContain(sent.body.messageId);

  expect((await email.call(aSend({ idempotencyKey: 'row-1' }))).body.messageId).toBe(sent.body.messageId);
  expect(mailbox.received).toHaveLength(1);
  expect(email.function.outbox.summary()).toMatchObject({ delivered: 1, repeats: 1 });
});

test('what the SMTP server refuses is transient or permanent as it says', async () => {
  await using mailbox = await startMailbox();
  await using email = startFunction({ smtpUrl: mailbox.url });
  expect((await email.call(aSend({ to: 'full@example.org' }))).body.message).toContain('452');
  expect((await email.call(aSend({ to: 'nobody@example.org' }))).body.message).toContain('550');
  expect(email.function.outbox.list().map(({ failure }) => failure)).toEqual(['permanent', 'transient']);
});

test('an SMTP server that is gone is a transient failure', async () => {
  const mailbox = await startMailbox();
  await mailbox[Symbol.asyncDispose]();
  await using email = startFunction({ smtpUrl: mailbox.url });
  expect((await email.call(aSend())).body.message).toContain('ECONN');
  expect(email.function.outbox.list()[0]?.failure).toBe('transient');
});

test.each([
  ['RCPT TO', '451 4.7.1 Greylisted, come again', 'transient'],
  ['RCPT TO', '421 Too many connections', 'transient'],
  ['RCPT TO', '552 <ana@example.org> is full for good', 'permanent'],
  ['.', '554 Rejected as spam', 'permanent'],
  ['AUTH', '535 Authentication failed', 'refused'],
  ['.', null, 'unanswered'],
  ['EHLO', null, 'unanswered'],
] as const)('a server that answers %s with %s: %s, and callers read the same', async (command, reply, kind) => {
  await using server = await startServer(command, reply);
  const smtp = createSmtp({ name: 'resend', url: server.url, sender: DEFAULT_SENDER });
  const email = { to: 'ana@example.org', subject: 'Apples', html: '<p>3</p>', provider: 'resend' } as const;
  const result = await smtp.send(email, new AbortController().signal);
  smtp.close();
  expect(result).toMatchObject({ ok: false, kind });
  if (result.ok) return;
  expect(classifySendFailure('resend', result.message).kind).toBe(kind);
  expect(result.message).not.toContain('ana@example.org');
});

test('where no SMTP server listens, nothing was sent, and callers read the same', async () => {
  const smtp = createSmtp({ name: 'brevo', url: 'smtp://127.0.0.1:1', sender: DEFAULT_SENDER });
  const email = { to: 'ana@example.org', subject: 'Apples', html: '<p>3</p>', provider: 'brevo' } as const;
  const result = await smtp.send(email, new AbortController().signal);
  smtp.close();
  expect(result).toMatchObject({ ok: false, kind: 'outage' });
  expect(!result.ok && classifySendFailure('brevo', result.message).kind).toBe('outage');
});

/** An SMTP server that takes every email, but answers one command so; null: hangs up instead. */
async function startServer(command: string, reply: string | null): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((socket) => {
    let isContent = false;
    socket.on('error', () => {});
    socket.write('220 ready\r\n');
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\r\n').filter((each) => each !== '')) {
        if (isContent && line !== '.') continue;
        isContent = line === 'DATA';
        if (line.startsWith(command)) {
          if (reply === null) socket.destroy();
          else socket.write(`${reply}\r\n`);
        } else if (line.startsWith('EHLO')) socket.write('250-hello\r\n250 AUTH PLAIN\r\n');
        else socket.write(isContent ? '354 go on\r\n' : '250 fine\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const login = command === 'AUTH' ? 'user:wrong@' : '';
  return {
    url: `smtp://${login}127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
