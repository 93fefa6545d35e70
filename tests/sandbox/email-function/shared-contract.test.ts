import { describeEmailFunction } from '../../support/email-function-contract.ts';
import { startMailbox } from '../../support/mailbox.ts';
import { SERVICE_KEY, startFunction } from './setup.ts';

describeEmailFunction('the sandbox’s, with simulated providers', async () => {
  const email = startFunction();
  return {
    key: SERVICE_KEY,
    fetch: (request) => email.function.fetch(request),
    delivered: () => {
      const lines = email.function.outbox.list({ limit: 1_000, outcome: 'delivered' }).toReversed();
      return lines.filter(({ repeat }) => !repeat).map(({ to }) => to);
    },
    refuseNext: () => 'bounce@example.org',
    stop: async () => {
      await email[Symbol.asyncDispose]();
    },
  };
});

describeEmailFunction('the sandbox’s, with a real SMTP server', async () => {
  const mailbox = await startMailbox();
  const email = startFunction({ smtpUrl: mailbox.url });
  return {
    key: SERVICE_KEY,
    fetch: (request) => email.function.fetch(request),
    delivered: () => mailbox.received.flatMap(({ to }) => to),
    refuseNext: () => 'nobody@example.org',
    stop: async () => {
      await email[Symbol.asyncDispose]();
      await mailbox[Symbol.asyncDispose]();
    },
  };
});
