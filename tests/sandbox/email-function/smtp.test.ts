import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { expect, test } from 'vitest';
import { aSend, startFunction } from './setup.ts';

interface Mailbox extends AsyncDisposable {
  readonly url: string;
  readonly received: { readonly to: string[]; readonly from: string; readonly raw: string }[];
}

/** A real SMTP server on loopback that refuses `full@…` for now and `nobody@…` for good. */
async function startMailbox(): Promise<Mailbox> {
  const received: Mailbox['received'] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (address, _session, done) => {
      const refusal = refusals[address.address.split('@')[0] ?? ''];
      done(refusal === undefined ? null : Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
    },
    onData: (stream, session, done) => {
      text(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        received.push({ from, to: rcptTo.map(({ address }) => address), raw });
        done();
      }, done);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const refusals: Record<string, { code: number; text: string }> = {
  full: { code: 452, text: 'Mailbox is full' },
  nobody: { code: 550, text: 'No such user' },
};

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
