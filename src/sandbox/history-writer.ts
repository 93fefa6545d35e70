/** Puts a made-up past into every system of the sandbox, each in the shape that it would have had. */
import { nextUtcMidnightEpochMs } from '../domain/time.ts';
import type { Database } from './database.ts';
import type { Outbox } from './email-function/outbox.ts';
import { attemptOf, type History, type PastEmail } from './history.ts';
import type { Execute } from './redis/execute.ts';

const ROWS_A_STATEMENT = 2_000;

export interface HistoryTargets {
  readonly database: Pick<Database, 'query'>;
  readonly outbox: Pick<Outbox, 'record'>;
  readonly execute: Execute;
}

/** Writes it all. Meant for empty systems; `email_provider_quota` must already have today's limits. */
export async function writeHistory(history: History, targets: HistoryTargets, nowEpochMs: number): Promise<void> {
  for (let start = 0; start < history.emails.length; start += ROWS_A_STATEMENT) {
    const chunk = history.emails.slice(start, start + ROWS_A_STATEMENT);
    await targets.database.query(INSERT_EMAILS, [JSON.stringify(chunk.map(toRow))]);
    for (const email of chunk) targets.outbox.record(attemptOf(email));
  }
  await targets.database.query(COUNT_QUOTA);
  const sent = String(history.sentToday);
  const midnightSeconds = String(Math.floor(nextUtcMidnightEpochMs(nowEpochMs) / 1_000));
  await targets.execute(
    [
      ...history.metrics.map(({ atEpochMs, json }) => ['ZADD', 'email:metrics:timeseries', String(atEpochMs), json]),
      ['HSET', 'email:stats:daily', 'processed', sent, 'successful', sent, 'failed', '0'],
      ['EXPIREAT', 'email:stats:daily', midnightSeconds],
    ],
    'each',
  );
}

function toRow(email: PastEmail) {
  return {
    id: email.id,
    recipient: email.recipientEmail,
    type: email.emailType,
    template: email.templateName,
    data: email.templateData,
    provider: email.provider,
    message_id: email.messageId,
    latency_ms: email.latencyMs,
    created_at: new Date(email.createdAtEpochMs).toISOString(),
    sent_at: new Date(email.sentAtEpochMs).toISOString(),
  };
}

const INSERT_EMAILS = `
with past as (
  select * from jsonb_to_recordset($1::jsonb) as email(
    id uuid, recipient text, type text, template text, data jsonb, provider text, message_id text, latency_ms int,
    created_at timestamptz, sent_at timestamptz)
), queued as (
  insert into public.email_queue
    (id, recipient_email, email_type, template_name, template_data, attempts, status, created_at, updated_at)
  select id, recipient, type, template, data, 1, 'completed', created_at, sent_at from past
)
insert into public.email_logs
  (recipient_email, email_type, subject, provider, provider_message_id, status, latency_ms, sent_at, created_at)
select recipient, type, data->>'subject', provider, message_id, 'sent', latency_ms, sent_at, sent_at from past`;

/** Days before today get a row with today's limits: the limits of a past day are not known. */
const COUNT_QUOTA = `
insert into public.email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
select logs.provider, (logs.sent_at at time zone 'utc')::date, count(*), max(today.daily_limit), max(today.monthly_limit)
from public.email_logs logs
join public.email_provider_quota today
  on today.provider = logs.provider and today.date = (now() at time zone 'utc')::date
group by 1, 2
on conflict (provider, date) do update set emails_sent = excluded.emails_sent`;
