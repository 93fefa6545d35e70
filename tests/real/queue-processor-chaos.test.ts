/**
 * Laws of the queue processor under faults: every request to the database, the lock and the email function may fail before it
 * arrives or lose its answer, and providers do what they like. Whatever happens, in whatever order, an email is never handed
 * to another provider while one may have sent it, none is lost, and every count agrees with what was sent.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutgoingEmail, SendOutcome } from '../../src/data/email-function.ts';
import { FaultError } from '../../src/data/fault.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import type { QueueProcessorPorts } from '../../src/workers/queue-processor-ports.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

interface Sent {
  readonly provider: string;
  /** What the caller learned: `lost` may be either. */
  readonly learned: 'sent' | 'not-sent' | 'lost';
}

describe.skipIf(isMailStackMissing())('the queue processor under faults', () => {
  let stack: MailStack;
  beforeAll(async () => {
    stack = await startMailStack();
  });
  afterAll(() => stack?.stop());

  test.each(Array.from({ length: 6 }, (_, seed) => seed))(
    'keeps its laws (seed %i)',
    { timeout: 60_000 },
    async (seed) => {
      const random = seededRandom(`chaos/${seed}`);
      await stack.reset({ medianMs: 1, p99Ms: 5, failureRate: 0.1 });
      const ids = await stack.enqueue(150, { maxAttempts: 50 });
      const sends = new Map<string, Sent[]>();
      let isCalm = false;

      const fault = (what: string) =>
        new FaultError({
          code: random.next() < 0.5 ? 'timeout' : 'unreachable',
          message: `${what} (injected ECONNRESET)`,
        });
      /** Fails before the call arrives, or after, or not at all. */
      const shaky =
        <A extends unknown[], T>(rate: number, call: (...args: A) => Promise<T>) =>
        async (...args: A): Promise<T> => {
          const draw = isCalm ? 1 : random.next();
          if (draw < rate / 2) throw fault('It did not arrive');
          const answer = await call(...args);
          if (draw < rate) throw fault('The answer was lost');
          return answer;
        };
      const sendAndRemember = async (
        send: QueueProcessorPorts['mail']['send'],
        email: OutgoingEmail,
      ): Promise<SendOutcome> => {
        const history = sends.get(email.idempotencyKey) ?? [];
        sends.set(email.idempotencyKey, history);
        const at = history.push({ provider: email.provider, learned: 'lost' }) - 1;
        const outcome = await shaky(0.2, send)(email);
        // A gateway's 504 says as little about the email as no answer at all.
        const refused = !outcome.ok && /^504/.test(outcome.message) ? 'lost' : 'not-sent';
        history[at] = { provider: email.provider, learned: outcome.ok ? 'sent' : refused };
        return outcome;
      };
      const worker = () => {
        const { queue, lock, mail } = stack.processor().ports;
        return stack.processor(
          { concurrency: 5, batchSize: 20, leaseSeconds: 30 },
          {
            queue: {
              ...queue,
              claim: shaky(0.1, queue.claim),
              heldBy: queue.heldBy,
              renew: shaky(0.3, queue.renew),
              finish: shaky(0.3, queue.finish),
              release: queue.release,
            },
            lock: { ...stack.lockOf(3), release: lock.release, renew: shaky(0.3, stack.lockOf(3).renew) },
            mail: { route: shaky(0.3, mail.route), send: (email) => sendAndRemember(mail.send, email) },
          },
        );
      };
      const runs = async (times: number) => {
        const processor = worker();
        for (let n = 0; n < times; n += 1)
          await processor.run({ trigger: 'test', signal: new AbortController().signal });
      };

      await Promise.all([runs(4), runs(4), runs(4)]);
      await stack.sql`update email_queue set next_retry_at = null where status = 'queued'`;
      await Promise.all([runs(3), runs(3)]);
      isCalm = true;
      for (const provider of ['resend', 'brevo', 'mailersend', 'aws_ses'] as const) {
        stack.function.providers.set(provider, { failureRate: 0 });
      }
      await expect
        .poll(
          async () => {
            await stack.sql`update email_queue set next_retry_at = null where status = 'queued'`;
            await runs(1);
            return stack.counts();
          },
          { timeout: 40_000, interval: 100 },
        )
        .toEqual({ completed: 150 });

      for (const id of ids) {
        const history = sends.get(id) ?? [];
        const unsure = history.findIndex(({ learned }) => learned !== 'not-sent');
        const after = history.slice(unsure);
        expect(new Set(after.map(({ provider }) => provider)).size, JSON.stringify(history)).toBe(1);
        expect(history.filter(({ learned }) => learned === 'sent').length, JSON.stringify(history)).toBe(1);
      }
      expect([...stack.delivered(ids).values()]).toEqual(Array(150).fill(1));
      const [counted] = await stack.sql`
      select (select count(*)::int from email_logs where status = 'sent') as logged,
        (select sum(emails_sent)::int from email_provider_quota) as quota,
        (select count(*)::int from email_dead_letter_queue) as buried`;
      expect(counted).toEqual({ logged: 150, quota: 150, buried: 0 });
    },
  );
});
