/** Run by kill.test.ts as a process of its own: sends one email after the other and says which were acknowledged. */
import { createEmailFunction } from '../../../src/sandbox/email-function/function.ts';
import { aSend } from './setup.ts';

const [folder = ''] = process.argv.slice(2);
const email = createEmailFunction({
  folder,
  serviceKey: 'key',
  seed: 'kill',
  latencyFactor: 0,
  keepAttempts: 100,
  providers: { resend: { dailyLimit: 1_000_000, monthlyLimit: 1_000_000, failureRate: 0 } },
});
for (let n = 0; ; n++) {
  const answer = await email.fetch(
    new Request('http://127.0.0.1:1/functions/v1/email', {
      method: 'POST',
      headers: { apikey: 'key' },
      body: JSON.stringify(aSend({ idempotencyKey: `key-${n}` })),
    }),
  );
  const { messageId } = (await answer.json()) as { messageId: string };
  process.stdout.write(`${n} ${messageId}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}
