/**
 * Compares what the independent observer saw, the email function's outbox, with what the system believes: queue, dead letters,
 * logs, quota counts and statistics. It knows emails by their recipients, so it also judges where idempotency keys get lost.
 */
import { PROVIDERS } from '../../../src/domain/email.ts';
import type { World } from './world.ts';

export interface Enqueued {
  /** Queue row by recipient. */
  readonly idByRecipient: ReadonlyMap<string, string>;
  /** Recipients whose emails cannot be delivered and belong in the dead letters. */
  readonly undeliverable: ReadonlySet<string>;
}

export interface Judgement {
  readonly enqueued: number;
  /** Emails that really went out, once or more. */
  readonly delivered: number;
  readonly deadLettered: number;
  /** Sends that the function recognised as repetitions. */
  readonly recognised: number;
  /** Enqueued, neither delivered nor in a state from which it will be. */
  readonly lost: readonly string[];
  /** Two different message ids for one queue row. */
  readonly doubled: readonly Doubled[];
  /** Counters and states that differ from what the outbox tells. */
  readonly wrong: readonly string[];
}

export interface Doubled {
  readonly id: string;
  readonly recipient: string;
  readonly sends: number;
}

interface Row {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly status: string;
  readonly letters: number;
  readonly sent_logs: number;
}

/**
 * To be asked after the queue has drained and the quota sync has run. Where keys are ignored, nobody who lived knows of a send
 * whose worker was killed before it could write it: there counts may miss as many as were doubled, and no more.
 */
export async function judge(
  world: World,
  { idByRecipient, undeliverable }: Enqueued,
  honoursKeys: boolean,
): Promise<Judgement> {
  const { outbox } = world.emailFunction();
  const attempts = outbox.list({ limit: Number.POSITIVE_INFINITY }).filter(({ to }) => idByRecipient.has(to));
  const messageIds = new Map<string, Set<string>>();
  for (const { to, outcome, messageId, repeat } of attempts) {
    if (outcome !== 'delivered' || repeat) continue;
    messageIds.set(to, (messageIds.get(to) ?? new Set()).add(String(messageId)));
  }
  const rows = await world.sql<Row[]>`
    select queue.id, recipient_email as recipient, status, template_data ->> 'subject' as subject,
      (select count(*)::int from email_dead_letter_queue where original_queue_id = queue.id and reviewed_at is null) as letters,
      (select count(*)::int from email_logs where queue_id = queue.id and email_logs.status = 'sent') as sent_logs
    from email_queue queue`;
  const byRecipient = new Map(rows.map((row) => [row.recipient, row]));

  const lost: string[] = [];
  const doubled: Doubled[] = [];
  const wrong: string[] = [];
  for (const [recipient, id] of idByRecipient) {
    const row = byRecipient.get(recipient);
    const sends = messageIds.get(recipient)?.size ?? 0;
    if (row === undefined || row.id !== id) {
      lost.push(`${recipient}: its row is gone`);
      continue;
    }
    if (sends > 1) doubled.push({ id, recipient, sends });
    if (sends === 0 && !isInGoodHands(row, undeliverable)) lost.push(`${recipient}: ${row.status}, never sent`);
    if (sends > 0 && row.status !== 'completed') wrong.push(`${recipient}: sent, but ${row.status}`);
    if (sends > 0 && row.letters > 0) wrong.push(`${recipient}: sent, but a dead letter`);
    const isLogged = row.sent_logs === sends || (!honoursKeys && row.sent_logs >= 1 && row.sent_logs < sends);
    if (!isLogged) wrong.push(`${recipient}: sent ${sends} times, logged ${row.sent_logs} times`);
  }
  for (const { to, subject, idempotencyKey } of attempts) {
    const row = byRecipient.get(to);
    if (row !== undefined && subject !== row.subject) wrong.push(`${to}: was sent '${subject}', which is another's`);
    if (honoursKeys && row !== undefined && idempotencyKey !== row.id) {
      wrong.push(`${to}: was sent under the key ${idempotencyKey}, its row is ${row.id}`);
    }
  }
  const sendsByProvider = countBy(attempts.filter((each) => each.outcome === 'delivered' && !each.repeat));
  wrong.push(...(await wrongCounters(world, sendsByProvider, honoursKeys ? 0 : unknowable(messageIds))));
  return {
    enqueued: idByRecipient.size,
    delivered: messageIds.size,
    deadLettered: rows.filter(({ letters }) => letters > 0).length,
    recognised: attempts.filter(({ repeat }) => repeat).length,
    lost,
    doubled,
    wrong,
  };
}

function isInGoodHands({ status, letters, recipient }: Row, undeliverable: ReadonlySet<string>): boolean {
  if (undeliverable.has(recipient)) return status === 'failed' && letters === 1;
  return status === 'queued' || status === 'processing';
}

/** Sends beyond the first of each email. */
function unknowable(messageIds: ReadonlyMap<string, ReadonlySet<string>>): number {
  return [...messageIds.values()].reduce((sum, ids) => sum + ids.size - 1, 0);
}

async function wrongCounters(world: World, sends: ReadonlyMap<string, number>, missable: number): Promise<string[]> {
  const wrong: string[] = [];
  const isRight = (counted: number, real: number) => counted <= real && counted >= real - missable;
  const quotas = await world.sql<{ provider: string; sent: number }[]>`
    select provider, sum(emails_sent)::int as sent from email_provider_quota group by 1`;
  for (const provider of PROVIDERS) {
    const counted = quotas.find((quota) => quota.provider === provider)?.sent ?? 0;
    const real = sends.get(provider) ?? 0;
    if (!isRight(counted, real)) wrong.push(`quota of ${provider}: ${counted}, sent ${real}`);
  }
  const counters = await world.sql<{ name: string; counted: number; real: number }[]>`
    select name, coalesce(counted, 0)::int as counted, coalesce(real, 0)::int as real
    from (select name, sum(delta) as counted from email_ops_counters where bucket is null group by 1) as counter
    full join (
      select email_ops_counter_name(status, next_retry_at) as name, count(*) as real from email_queue group by 1
    ) as rows using (name)
    where coalesce(counted, 0) <> coalesce(real, 0)`;
  for (const { name, counted, real } of counters) wrong.push(`queue counter ${name}: ${counted}, rows ${real}`);
  const successful = Number((await world.redis('HGET', 'email:stats:daily', 'successful')) ?? 0);
  const real = [...sends.values()].reduce((sum, n) => sum + n, 0);
  if (!isRight(successful, real)) wrong.push(`statistics: ${successful} successful, sent ${real}`);
  return wrong;
}

function countBy(attempts: readonly { readonly provider: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { provider } of attempts) counts.set(provider, (counts.get(provider) ?? 0) + 1);
  return counts;
}
