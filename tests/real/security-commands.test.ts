/** Every command against a deployment in which strangers have written whatever they can, everywhere they can. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY } from '../../src/data/keys.ts';
import { startCli } from '../support/cli.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { AN_ID, everyCommandLine } from '../support/every-command.ts';
import { CORPUS, dangersIn } from '../support/hostile-text.ts';
import { isMailStackMissing } from '../support/mail-stack.ts';

/** Those that only look come first: the others change what there is to see. */
const LOOKING = /^(status|watch|queue (list|show)|alerts (list|show)|schedules list|doctor|providers list|audit|logs)/;
const TOLD_AFTER_MS = 8_000;
const lines = (await everyCommandLine())
  .filter(([name]) => name !== 'sandbox' && name !== 'serve')
  .toSorted((a, b) => Number(LOOKING.test(b.join(' '))) - Number(LOOKING.test(a.join(' '))));

describe.skipIf(isMailStackMissing())('what strangers wrote', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
    await writeEverywhere(deployment);
  });
  afterAll(() => deployment?.stop());

  it('does nothing to the terminal of any command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'email-ops-hostile-'));
    const seen: { line: string; dangers: readonly string[]; length: number }[] = [];
    for (const line of lines) {
      const running = startCli(line, {
        env: { ...deployment.environment, DEBUG: '1' },
        folder,
        input: `{"to":"${'\\u001b'}[2J"}\n`,
      });
      const tell = setTimeout(() => running.child.kill('SIGTERM'), TOLD_AFTER_MS);
      const { stdout, stderr } = await running.finished();
      clearTimeout(tell);
      seen.push({ line: line.join(' '), dangers: dangersIn(stdout + stderr), length: stdout.length });
    }
    expect(seen.filter(({ dangers }) => dangers.length > 0)).toEqual([]);
    // They were shown something: the lists are not empty.
    for (const line of ['queue list', `queue show ${AN_ID}`, 'alerts list', 'status --json'])
      expect(seen.find((each) => each.line === line)?.length, line).toBeGreaterThan(200);
  });
});

async function writeEverywhere({ stack }: Deployment): Promise<void> {
  const { sql, redis } = stack;
  const texts = CORPUS.map((text) => text.replaceAll('\0', '').toWellFormed());
  for (const [index, text] of texts.entries()) {
    const status = (['queued', 'failed', 'completed', 'queued'] as const)[index % 4] ?? 'queued';
    const content = { subject: text, html: text, text, from: text, fromName: text };
    const [row] = await sql<{ id: string }[]>`
      insert into email_queue (recipient_email, email_type, template_name, template_data, status, last_error, attempts)
      values (${`${text}@example.org`}, 'chat', ${text}, ${sql.json(content)}, ${status}, ${text}, 1) returning id`;
    await sql`
      insert into email_logs (recipient_email, email_type, subject, provider, provider_message_id, status, error_message)
      values (${text}, 'chat', ${text}, 'brevo', ${text}, 'failed', ${text})`;
    await sql`
      insert into email_dead_letter_queue (original_queue_id, recipient_email, email_type, total_attempts, failure_reason, last_error, failed_providers, template_data)
      values (${row?.id ?? null}, ${text}, 'chat', 3, ${text}, ${text}, ${[text]}, ${sql.json(content)})`;
  }
  const shown = { subject: texts[0] ?? '', html: texts.join(' ') };
  await sql`insert into email_queue (id, recipient_email, email_type, template_data, last_error, attempts)
    values (${AN_ID}, ${texts.join('').slice(0, 200)}, 'chat', ${sql.json(shown)}, ${texts.join(' | ')}, 2)`;
  const { client } = redis;
  const now = Date.now();
  await client.lpush(KEY.alerts, ...texts.map((text) => `CRITICAL: ${text}`));
  await client.lpush(
    KEY.runs,
    ...texts.map((text) =>
      JSON.stringify({
        id: text,
        worker: text,
        trigger: text,
        host: text,
        startedAt: now,
        outcome: 'failed',
        error: text,
      }),
    ),
  );
  await client.lpush(
    KEY.audit,
    ...texts.map((text) =>
      JSON.stringify({ at: now, by: text, host: text, action: text, target: text, outcome: text }),
    ),
  );
  await client.zadd(KEY.metrics, { score: now, member: texts.join(' ') });
  await client.set(KEY.healthError, JSON.stringify({ error: texts.join(' '), timestamp: texts[0] }));
  await client.set(
    KEY.healthLatest,
    JSON.stringify({
      timestamp: now,
      providers: texts.map((text) => ({ provider: text, status: 'error', message: text, healthScore: 1 })),
      alerts: texts,
    }),
  );
  await client.set(KEY.lock, `pause/${texts[1]}@${texts[2]}/1/${encodeURIComponent(texts.join(' '))}`, { ex: 600 });
}
