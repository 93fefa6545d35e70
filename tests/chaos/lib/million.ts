/**
 * A full queue drained by eight workers on a real Postgres: how long claiming, finishing and looking take from the first batch
 * to the last. Sending is left out; it would only make the database wait.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { applyMigrations, connect, type Sql, startPostgres } from '../../support/postgres.ts';
import { quantile } from './report.ts';

export interface DrainStep {
  /** Share of the queue that was done when this step began, 0–1. */
  readonly from: number;
  readonly claimMedianMs: number;
  readonly claimP95Ms: number;
  readonly finishMedianMs: number;
  readonly overviewMedianMs: number;
  readonly overviewMaxMs: number;
}

export interface Drain {
  readonly rows: number;
  readonly workers: number;
  readonly tookMs: number;
  readonly completed: number;
  readonly logged: number;
  readonly counted: number;
  readonly steps: readonly DrainStep[];
}

const STEPS = 10;
const LOOK_EVERY_MS = 1_000;

type Kind = 'claim' | 'finish' | 'overview';
interface Timed {
  readonly kind: Kind;
  readonly done: number;
  readonly ms: number;
}

export async function drain({ rows = 1_000_000, workers = 8, batch = 500 } = {}): Promise<Drain> {
  await using postgres = await startPostgres();
  const { sql, url } = postgres;
  await applyMigrations(sql);
  await sql.unsafe(`
    insert into email_queue (recipient_email, email_type, template_data, created_at)
    select 'reader' || n || '@example.org', 'newsletter', '{"subject": "News", "html": "<p>Hello</p>"}',
      now() - ${rows} * interval '1 millisecond' + n * interval '1 millisecond'
    from generate_series(1, ${rows}) as n`);
  const timings: Timed[] = [];
  let done = 0;
  const timed = async <T>(kind: Kind, act: () => Promise<T>): Promise<T> => {
    const startedAtMs = performance.now();
    const result = await act();
    timings.push({ kind, done, ms: performance.now() - startedAtMs });
    return result;
  };

  const work = async (name: string): Promise<void> => {
    const own = connect(url, { max: 1 });
    for (;;) {
      const ids = await timed('claim', () => claim(own, name, batch));
      if (ids.length === 0) break;
      await timed('finish', () => finish(own, name, ids));
      done += ids.length;
    }
    await own.end();
  };
  const watching = new AbortController();
  const watch = async () => {
    while (!watching.signal.aborted) {
      await timed('overview', () => sql`select email_ops_overview()`);
      await delay(LOOK_EVERY_MS, undefined, { signal: watching.signal }).catch(() => undefined);
    }
  };
  const startedAtMs = performance.now();
  const watched = watch();
  await Promise.all(Array.from({ length: workers }, (_, n) => work(`worker/host/${n}/t`)));
  const tookMs = performance.now() - startedAtMs;
  watching.abort();
  await watched;
  const [counted] = await sql<{ completed: number; logged: number; counted: number }[]>`
    select (select count(*)::int from email_queue where status = 'completed') as completed,
      (select count(*)::int from email_logs where status = 'sent') as logged,
      (select (email_ops_overview() -> 'counts' ->> 'completed')::int) as counted`;
  const counts = counted ?? { completed: 0, logged: 0, counted: 0 };
  return { rows, workers, tookMs, ...counts, steps: stepsOf(timings, rows) };
}

async function claim(sql: Sql, worker: string, limit: number): Promise<readonly string[]> {
  const [row] = await sql<{ claimed: { id: string }[] }[]>`select claim_emails(${worker}, ${limit}, 300) as claimed`;
  return row?.claimed.map(({ id }) => id) ?? [];
}

async function finish(sql: Sql, worker: string, ids: readonly string[]): Promise<void> {
  const results = ids.map((id) => ({
    id,
    attempt: 1,
    outcome: 'sent',
    provider: 'brevo',
    messageId: id,
    latencyMs: 20,
  }));
  await sql`select finish_emails(${worker}, ${sql.json(results)})`;
}

function stepsOf(timings: readonly Timed[], rows: number): readonly DrainStep[] {
  return Array.from({ length: STEPS }, (_, step) => {
    const from = step / STEPS;
    const within = timings.filter(({ done }) => done >= from * rows && done < (from + 1 / STEPS) * rows);
    const of = (kind: Kind) => within.flatMap((each) => (each.kind === kind ? [each.ms] : [])).sort((a, b) => a - b);
    return {
      from,
      claimMedianMs: quantile(of('claim'), 0.5),
      claimP95Ms: quantile(of('claim'), 0.95),
      finishMedianMs: quantile(of('finish'), 0.5),
      overviewMedianMs: quantile(of('overview'), 0.5),
      overviewMaxMs: quantile(of('overview'), 1),
    };
  });
}
