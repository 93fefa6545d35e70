/**
 * The quota sync: today's and tomorrow's quota rows exist for every provider, and no count is lower than what the provider
 * itself reports; the day's statistics say what the logs say. It never lowers a count, so it may run at any time, twice at once, and beside any processor.
 */
import { randomUUID } from 'node:crypto';
import type { CountSentToday } from '../data/day-counts.ts';
import type { HealthAnswer } from '../data/email-function.ts';
import type { ReportedQuota } from '../data/health-report.ts';
import { type QuotaRow, sumQuotaRows } from '../data/quota.ts';
import type { QuotaDays } from '../data/quota-days.ts';
import type { QuotaResult, QuotaStore } from '../data/quota-store.ts';
import { admitAlerts } from '../domain/alert-cooldown.ts';
import { isProvider } from '../domain/email.ts';
import { formatCount, plural } from '../domain/format.ts';
import {
  missingDays,
  type ProviderReport,
  type QuotaDay,
  quotaAlerts,
  quotaWarnings,
  raisedCounts,
} from '../domain/quota-sync.ts';
import { type Clock, DAY_MS, utcDay } from '../domain/time.ts';
import { type Logger, type RunRequest, type RunResult, recordOfRun, type Worker } from './worker.ts';

export interface QuotaSyncPorts {
  /** What the email function reports: with `source: api` a provider's own counts, of the UTC day of the check. */
  checkHealth(signal: AbortSignal): Promise<HealthAnswer>;
  readonly days: QuotaDays;
  readonly countSent: CountSentToday;
  readonly store: QuotaStore;
}

export interface QuotaSyncOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: string;
  /** The same alert is pushed again only after this. */
  readonly cooldownMs: number;
}

export function createQuotaSync(ports: QuotaSyncPorts, options: QuotaSyncOptions): Worker {
  const { clock, log } = options;
  return {
    run: async (request) => {
      const startedAtEpochMs = clock.nowEpochMs();
      const synced = await sync(ports, options, request);
      const result = await leave(ports.store, options, { request, synced, startedAtEpochMs });
      if (result.outcome === 'failed') log.error(`[quota-sync] ${result.message}`);
      else log.info(`[quota-sync] ${result.message}`);
      return result;
    },
  };
}

/** `result` null: the database did not answer. `error` null: everything worked. */
interface Synced {
  readonly result: QuotaResult | null;
  readonly raised: number;
  /** What the logs say was sent today; null where they could not be asked. */
  readonly sentToday: number | null;
  readonly error: string | null;
}

async function sync(ports: QuotaSyncPorts, { clock, log }: QuotaSyncOptions, { signal }: RunRequest): Promise<Synced> {
  const { reports, reportedDay, error } = await askProviders(ports, signal);
  try {
    const nowEpochMs = clock.nowEpochMs();
    const today = utcDay(nowEpochMs);
    const tomorrow = utcDay(nowEpochMs + DAY_MS);
    // A month back even on the first of a month: limits go on from the newest row.
    const existing = await ports.days.read(utcDay(nowEpochMs - 31 * DAY_MS), tomorrow, signal);
    const missing = missingDays(existing, [today, tomorrow], reports);
    if (missing.length > 0) await ports.days.insertMissing(missing, signal);
    const rows = [...existing, ...missing];
    // A report of yesterday, seconds after midnight, says nothing of today.
    const raised = reportedDay === today ? raisedCounts(rows, today, reports) : [];
    for (const { provider, from, to } of raised) {
      await ports.days.raise(provider, today, to, signal);
      log.info(`[quota-sync] ${provider} counts ${formatCount(to)} sent today, we had ${formatCount(from)}: raised.`);
    }
    const counted = rows.map((row) => withRaise(row, today, raised));
    const quotas = sumQuotaRows(daysOfMonth(counted, today), today).map((quota) => {
      const report = reports.find(({ provider }) => provider === quota.provider);
      const sent = Math.max(quota.month.sent, report?.monthSent ?? 0);
      return { ...quota, month: { ...quota.month, sent } };
    });
    const warnings = quotaWarnings(quotas);
    for (const { text } of warnings) log.warn(`[quota-sync] Warning: ${text}`);
    const result = {
      quotas,
      reportedBy: reports.map(({ provider }) => provider),
      warnings: warnings.map(({ text }) => text),
    };
    return { result, raised: raised.length, sentToday: await ports.countSent(signal), error };
  } catch (failure) {
    return { result: null, raised: 0, sentToday: null, error: messageOf(failure) };
  }
}

/** Without the function the rows can still be kept in order; the run is reported as failed all the same. */
async function askProviders(ports: QuotaSyncPorts, signal: AbortSignal) {
  try {
    const { report, quotas } = await ports.checkHealth(signal);
    return { reports: quotas.flatMap(reportOf), reportedDay: utcDay(report.checkedAtEpochMs), error: null };
  } catch (error) {
    return { reports: [], reportedDay: '', error: `The providers’ counts are not known: ${messageOf(error)}` };
  }
}

/** `source: database` only repeats what we counted ourselves. */
function reportOf(quota: ReportedQuota): readonly ProviderReport[] {
  const { provider, source, ...counts } = quota;
  return source === 'api' && isProvider(provider) ? [{ provider, ...counts }] : [];
}

function withRaise(row: QuotaDay, today: string, raised: ReturnType<typeof raisedCounts>): QuotaDay {
  const raise = row.date === today ? raised.find(({ provider }) => provider === row.provider) : undefined;
  return raise === undefined ? row : { ...row, emailsSent: raise.to };
}

function daysOfMonth(rows: readonly QuotaRow[], today: string): readonly QuotaRow[] {
  return rows.filter(({ date }) => date.slice(0, 7) === today.slice(0, 7) && date <= today);
}

async function leave(
  store: QuotaStore,
  { clock, host, cooldownMs }: QuotaSyncOptions,
  run: { request: RunRequest; synced: Synced; startedAtEpochMs: number },
): Promise<RunResult> {
  const { request, synced, startedAtEpochMs } = run;
  const nowEpochMs = clock.nowEpochMs();
  const result = resultOf(synced, request.signal.aborted, nowEpochMs - startedAtEpochMs);
  try {
    const known = await store.seenAlerts();
    const raised = quotaAlerts(quotaWarnings(synced.result?.quotas ?? []));
    const about = { id: randomUUID(), worker: 'quota-sync', trigger: request.trigger, host, startedAtEpochMs };
    await store.write({
      atEpochMs: nowEpochMs,
      result: synced.result,
      sentToday: synced.sentToday,
      alerts: admitAlerts(raised, known, { nowEpochMs, cooldownMs }),
      run: recordOfRun(result, about),
    });
    return result;
  } catch (error) {
    return { ...result, outcome: 'failed', message: messageOf(error) };
  }
}

function resultOf({ result, raised, error }: Synced, isAborted: boolean, durationMs: number): RunResult {
  const providers = result?.quotas.length ?? 0;
  const counts = { processed: providers, successful: providers, failed: 0, durationMs };
  if (isAborted) return { ...counts, outcome: 'aborted', message: 'The sync was stopped.' };
  if (result === null || error !== null)
    return { ...counts, outcome: 'failed', message: error ?? 'Nothing was synced.' };
  const sent = result.quotas.reduce((sum, quota) => sum + quota.day.sent, 0);
  const limit = result.quotas.reduce((sum, quota) => sum + quota.day.limit, 0);
  const words = [
    `${formatCount(sent)} of ${formatCount(limit)} sent today by ${plural(providers, 'provider')}`,
    ...(raised > 0 ? [`${plural(raised, 'count')} raised`] : []),
    ...(result.warnings.length > 0 ? [plural(result.warnings.length, 'warning')] : []),
  ];
  return { ...counts, outcome: 'ok', message: `${words.join(', ')}.` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
