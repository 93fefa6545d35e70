import { expect, test } from 'vitest';
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
