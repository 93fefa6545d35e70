/** What an experiment does to the systems beside breaking them: emails to send, time that passes, and the sync that counts in the end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis } from '../../../src/data/redis.ts';
import { connectSupabase } from '../../../src/data/supabase.ts';
import { systemClock } from '../../../src/domain/time.ts';
import { createWorkers } from '../../../src/workers/registry.ts';
import type { Load } from './experiment.ts';
import type { Enqueued } from './oracle.ts';
import { POISON_PREFIX } from './settings.ts';
import type { World } from './world.ts';

export async function enqueue(world: World, { emails, maxAttempts, poison, bouncing }: Load): Promise<Enqueued> {
  // What comes late from the experiment before is none of this one's.
  const of = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${prefix}+${n}@round-${world.round()}.example.org`);
  const bad = [...of(POISON_PREFIX, poison), ...of('bounce', bouncing)];
  // Among the others, not in front of them.
  const recipients = of('reader', emails).toSpliced(Math.floor(emails / 3), 0, ...bad);
  const types = ['auth', 'chat', 'newsletter', 'notification'];
  const rows = recipients.map((recipientEmail, n) => ({
    recipientEmail,
    emailType: types[n % types.length],
    maxAttempts,
    templateData: { subject: `Number ${n}`, html: '<p>Hello</p>' },
  }));
  const idByRecipient = new Map<string, string>();
  for (let at = 0; at < rows.length; at += 1_000) {
    const part = rows.slice(at, at + 1_000) as {
      recipientEmail: string;
      [name: string]: string | number | object | undefined;
    }[];
    const [row] = await world.sql<{ answer: { ids: string[] } }[]>`
      select enqueue_emails(${world.sql.json(part as never)}) as answer`;
    for (const [n, id] of (row?.answer.ids ?? []).entries())
      idByRecipient.set(part[n]?.recipientEmail ?? randomUUID(), id);
  }
  return { idByRecipient, undeliverable: new Set(bad) };
}

/** Retries wait for minutes and hours, and open circuits for one; here a quarter of a second is enough for the ones and takes ten seconds for the others. */
export function quickenTime(world: World): { stop(): Promise<void> } {
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      // Where Postgres is away just now, time passes later.
      await world.sql`update email_queue set next_retry_at = now() where status = 'queued' and next_retry_at > now()`.catch(
        () => undefined,
      );
      world.skipForFunction(10_000);
      await delay(250);
    }
  };
  const running = loop();
  return {
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** The same worker as in production, on a way that no fault troubles. */
export async function syncQuotas(world: World): Promise<readonly string[]> {
  for (const proxy of Object.values(world.proxies)) await proxy.clear();
  const redis = connectRedis({ kind: 'rest', url: world.proxies.redis.urlFor('sync'), token: world.key });
  const supabase = connectSupabase({ url: world.proxies.postgres.urlFor('sync'), serviceRoleKey: world.key });
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const workers = createWorkers({
    redis,
    supabase,
    emailFunction: { url: world.proxies.email.urlFor('sync'), serviceRoleKey: world.key },
    settings: { batchSize: 100, concurrency: 10, runBudgetMs: 10_000, lockTtlSeconds: 10, slots: 1 },
    clock: systemClock,
    log: silent,
  });
  const result = await workers['quota-sync'].run({ trigger: 'chaos', signal: AbortSignal.timeout(20_000) });
  await Promise.all([redis.close(), supabase.close()]);
  return result.outcome === 'ok' ? [] : [`the quota sync failed: ${result.message}`];
}
