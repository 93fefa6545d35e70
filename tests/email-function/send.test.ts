import { expect, test } from 'vitest';
import type { Email, EmailProvider } from '../../src/email-function/provider.ts';
import { createSender } from '../../src/email-function/send.ts';
import type { FunctionStore } from '../../src/email-function/store.ts';
import { manualClock } from '../support/clock.ts';

const EMAIL: Email = { to: 'ana@example.org', subject: 's', html: 'h', provider: 'mailersend', idempotencyKey: 'k' };

test('a success is written down although the store is away for a second, and never sent again for that', async () => {
  const log: string[] = [];
  let sends = 0;
  const mailersend = {
    name: 'mailersend',
    isConfigured: true,
    send: async () => {
      sends += 1;
      return { ok: true, messageId: 'm-1' };
    },
  } as unknown as EmailProvider;
  const backAtMs = performance.now() + 500;
  const written: unknown[] = [];
  const store = {
    begin: async () => ({ kind: 'go', claim: null }),
    finish: async (_email, _admission, end) => {
      if (performance.now() < backAtMs) throw new Error('connection refused');
      written.push(end);
    },
  } as Partial<FunctionStore> as FunctionStore;
  const providers = { resend: mailersend, brevo: mailersend, mailersend, aws_ses: mailersend };
  const send = createSender({ store, providers, clock: manualClock(), log: (line) => log.push(line) });
  const options = { ignoreCircuit: false, signal: new AbortController().signal };
  expect(await send(EMAIL, options)).toMatchObject({ answer: { kind: 'sent', messageId: 'm-1' } });
  expect(written).toMatchObject([{ kind: 'sent', messageId: 'm-1' }]);
  expect(sends).toBe(1);
  expect(log).toEqual([]);
});
