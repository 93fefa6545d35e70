/**
 * What runs of our queue processor cost in requests, statements and commands. Emails are sent in no time, so that how results
 * gather into batches hangs on no clock.
 */
import type { QueueProcessorPorts } from '../../src/workers/queue-processor-ports.ts';
import { createProcessor } from '../../tests/support/mail-stack.ts';
import { applyMigrations, startPostgres } from '../../tests/support/postgres.ts';
import { startRedisServer } from '../../tests/support/redis.ts';
import { serveRest } from '../../tests/support/rest.ts';
import { emailNumber } from '../lib/send-email.ts';
import type { Counted } from '../section.ts';
import { countStatements } from './statements.ts';

const INSTANT_MAIL: QueueProcessorPorts['mail'] = {
  route: async () => ({ provider: 'brevo', reason: null, alternates: [], health: [] }),
  send: async ({ idempotencyKey }) => ({ ok: true, messageId: `<${idempotencyKey}>`, provider: 'brevo', latencyMs: 0 }),
};

export const counted: Counted = {
  name: 'draining',
  run: async () => {
    await using postgres = await startPostgres({ shared_preload_libraries: 'pg_stat_statements' });
    await applyMigrations(postgres.sql);
    await postgres.sql`create extension pg_stat_statements`;
    await postgres.sql`
      insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
      values ('brevo', (now() at time zone 'utc')::date, 0, 1000000, 1000000)`;
    await using rest = await serveRest(postgres.url);
    const redis = await startRedisServer();
    try {
      const stack = { redisUrl: redis.url, rest, mailUrl: rest.url };
      const figures: Record<string, number> = {};
      // The first run makes connections, which costs statements of its own.
      for (const [name, emails, batchSize] of [
        ['', 0, 100],
        ['idleRun', 0, 100],
        ['runOf100', 100, 100],
        ['runOf500', 500, 500],
      ] as const) {
        const newEmails = Array.from({ length: emails }, (_, n) => {
          const { to, subject, html } = emailNumber(n);
          return { recipientEmail: to, emailType: 'chat', templateData: { subject, html } };
        });
        await postgres.sql`select enqueue_emails(${postgres.sql.json(newEmails)})`;
        const processor = createProcessor(stack, { batchSize }, { mail: INSTANT_MAIL });
        const statements = await countStatements(postgres.sql);
        const result = await processor.run({ trigger: 'bench', signal: new AbortController().signal });
        if (result.successful !== emails) throw new Error(`${name}: ${result.message}`);
        const usage = processor.usage();
        if (name !== '') {
          figures[`${name}.postgresStatements`] = await statements.read();
          figures[`${name}.postgresRequests`] = usage.postgres;
          figures[`${name}.redisCommands`] = usage.redis;
        }
        await processor.close();
      }
      return figures;
    } finally {
      await redis.stop();
    }
  },
};
