/**
 * Between the sandbox's email function and its database: what operators decide is read from where they write it, and how the
 * providers fare is written to where everybody reads it, both at most once a second.
 */
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { type SendRecord, standingOf } from '../../domain/provider-record.ts';
import type { Disabled } from '../../domain/provider-state.ts';
import { type Clock, SECOND_MS } from '../../domain/time.ts';
import type { Database } from '../database.ts';
import type { Operators } from './store.ts';

const EVERY_MS = SECOND_MS;

export interface DatabaseOperators extends Operators {
  /** Writes what is not written yet. Idempotent. */
  stop(): Promise<void>;
}

export function createOperators(options: {
  readonly database: Pick<Database, 'query'>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}): DatabaseOperators {
  const { database, clock, log } = options;
  let decisions: readonly Decision[] = [];
  let readAtEpochMs = Number.NEGATIVE_INFINITY;
  let unwritten: ReadonlyMap<Provider, SendRecord> | null = null;
  let writing: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  const of = (provider: Provider) => decisions.find((each) => each.provider === provider);
  const write = async () => {
    const records = unwritten;
    unwritten = null;
    if (records === null) return;
    const rows = [...records].map(([provider, record]) => toRow(provider, record, clock.nowEpochMs()));
    await database.query(WRITE, [JSON.stringify(rows)]).catch((error: unknown) => {
      log(`email function: how providers fare was not written: ${error instanceof Error ? error.message : error}`);
    });
  };
  const flush = () => {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  };

  return {
    refresh: async () => {
      const now = clock.nowEpochMs();
      if (now - readAtEpochMs < EVERY_MS) return;
      readAtEpochMs = now;
      try {
        decisions = await database.query<Decision>(READ);
      } catch (error) {
        log(`email function: operators' decisions were not read: ${error instanceof Error ? error.message : error}`);
      }
    },
    disabled: (provider): Disabled | null => {
      const decision = of(provider);
      const until = decision?.disabled_until ?? null;
      if (until === null) return null;
      return { untilEpochMs: Number(until), by: decision?.disabled_by ?? '', reason: decision?.disabled_reason ?? '' };
    },
    resetAtEpochMs: (provider) => {
      const at = of(provider)?.reset_at ?? null;
      return at === null ? null : Number(at);
    },
    publish: (records) => {
      unwritten = records;
      timer ??= setTimeout(() => {
        timer = undefined;
        void flush();
      }, EVERY_MS);
    },
    stop: async () => {
      clearTimeout(timer);
      await writing;
      await flush();
    },
  };
}

/** Times are epoch ms. */
interface Decision {
  readonly provider: string;
  readonly disabled_until: string | number | null;
  readonly disabled_by: string | null;
  readonly disabled_reason: string | null;
  readonly reset_at: string | number | null;
}

const READ = `
select provider, disabled_by, disabled_reason,
  (extract(epoch from disabled_until) * 1000)::float8 as disabled_until,
  (extract(epoch from circuit_reset_at) * 1000)::float8 as reset_at
from public.email_provider_control
where provider in (${PROVIDERS.map((name) => `'${name}'`).join(', ')})`;

function toRow(provider: Provider, record: SendRecord, nowEpochMs: number) {
  const { circuit } = record;
  const standing = standingOf(record, nowEpochMs);
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    provider,
    state: circuit.state,
    failures: circuit.failures,
    successes: circuit.successes,
    last_failure_at: iso(circuit.lastFailureAtEpochMs),
    next_retry_at: iso(circuit.nextRetryAtEpochMs),
    probe_until: iso(circuit.probeUntilEpochMs),
    total: record.totalRequests,
    successful: record.successfulRequests,
    in_row: record.consecutiveFailures,
    weight: record.weight,
    success_weight: record.successWeight,
    latency_weight: record.latencyWeight,
    weighed_at: iso(record.weighedAtEpochMs),
    last_error: record.lastError,
    score: standing.healthScore,
    latency_ms: standing.averageLatencyMs,
  };
}

const WRITE = `
with given as (
  select * from jsonb_to_recordset($1::text::jsonb) as row (
    provider text, state text, failures int, successes int, last_failure_at timestamptz, next_retry_at timestamptz,
    probe_until timestamptz, total int, successful int, in_row int, weight float8, success_weight float8,
    latency_weight float8, weighed_at timestamptz, last_error text, score int, latency_ms numeric)
), circuits as (
  insert into public.email_circuit_breaker_state
    (provider, state, failures, consecutive_successes, last_failure_time, next_retry_time, probe_until)
  select provider, state, failures, successes, last_failure_at, next_retry_at, probe_until from given
  on conflict (provider) do update
  set state = excluded.state, failures = excluded.failures, consecutive_successes = excluded.consecutive_successes,
      last_failure_time = excluded.last_failure_time, next_retry_time = excluded.next_retry_time,
      probe_until = excluded.probe_until, updated_at = now()
)
insert into public.email_provider_health_metrics
  (provider, health_score, total_requests, successful_requests, average_latency_ms, consecutive_failures, circuit_state,
   recent_weight, recent_success_weight, recent_latency_weight, weighed_at, last_error)
select provider, score, total, successful, latency_ms, in_row, state, weight, success_weight, latency_weight, weighed_at,
  last_error
from given
on conflict (provider) do update
set health_score = excluded.health_score, total_requests = excluded.total_requests,
    successful_requests = excluded.successful_requests, average_latency_ms = excluded.average_latency_ms,
    consecutive_failures = excluded.consecutive_failures, circuit_state = excluded.circuit_state,
    recent_weight = excluded.recent_weight, recent_success_weight = excluded.recent_success_weight,
    recent_latency_weight = excluded.recent_latency_weight, weighed_at = excluded.weighed_at,
    last_error = excluded.last_error`;
