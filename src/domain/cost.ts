/**
 * What the system costs a month at Upstash: QStash messages and Redis commands, from volume, schedules and hours of watching.
 * Pure. Prices and limits are those of the vendor's pages on the day named in `PRICES`; counts are held by tests/real/cost.test.ts.
 */
import { FAST_MS, goodForMs, SLOWEST_MS } from './cadence.ts';
import { EXPECTED_SCHEDULES, TICK_SCHEDULE } from './schedule.ts';
import { SCHEDULE_RETRIES } from './schedule-plan.ts';
import { DAY_MS, HOUR_MS } from './time.ts';

/** US dollars. */
export const PRICES = {
  asOf: '2026-11',
  qstash: { freeMessagesPerDay: 1_000, perMessage: 1 / 100_000 },
  redis: { freeCommandsPerMonth: 500_000, perCommand: 0.2 / 100_000, fixedPlanPerMonth: 10 },
} as const;

export const DAYS_PER_MONTH = 30;

/** Commands as Upstash bills them: each one of a pipeline, and a script as one. */
export const REDIS_COMMANDS = {
  /** Runs with nothing to do. */
  perProcessorRun: 3,
  perMonitorRun: 12,
  perQuotaRun: 6,
  /** An upper bound: the longer the providers take, the more renewals of the lock. */
  perEmail: 0.06,
  /** A QStash message is remembered, so that it is not worked twice. */
  perMessage: 2,
  /** The tick asks what is due, and says when it was done. */
  perTick: 2,
  /** `status`, or the first look of a console: everything is read. */
  perLook: 8,
  /** A refresh where nothing has changed. */
  perRefresh: 1,
  /** What a refresh reads besides, now and then, because nothing would tell if it had changed. */
  perRest: 7,
  /** What a refresh reads besides when a worker has run. */
  perRunSeen: { 'queue-processor': 2, 'health-monitor': 4, 'quota-sync': 2 },
} as const;

/** Who calls the workers: three QStash schedules, the one that stands for them, or nobody (`work`, Vercel cron). */
export type ScheduleMode = 'three' | 'one-tick' | 'none';

export const SCHEDULE_MODES: readonly ScheduleMode[] = ['three', 'one-tick', 'none'];

export interface Usage {
  readonly emailsPerDay: number;
  readonly schedules: ScheduleMode;
  /** Hours a day that a console is open, all consoles together. */
  readonly watchHoursPerDay: number;
  /** Of those, hours in which somebody presses keys or something is wrong: the refreshes are fast then. */
  readonly activeHoursPerDay: number;
  /** Null: as the dashboard does it by itself (`cadence.ts`). */
  readonly refreshMs: number | null;
}

export interface CostLine {
  readonly what: string;
  /** A month of thirty days. */
  readonly perMonth: number;
}

/** `free` is the best that can be had; `fixed` where the flat price of Redis is lower than paying by the command. */
export type Plan = 'free' | 'pay-as-you-go' | 'fixed';

export interface ServiceCost {
  readonly lines: readonly CostLine[];
  readonly perMonth: number;
  readonly freePerMonth: number;
  readonly plan: Plan;
  /** US dollars a month. */
  readonly dollars: number;
}

export interface Cost {
  readonly usage: Usage;
  readonly qstash: ServiceCost & {
    /** If every delivery failed and was repeated: whether QStash bills that, its pages leave open. */
    readonly worstPerMonth: number;
  };
  readonly redis: ServiceCost;
  /** US dollars a month. */
  readonly dollars: number;
  /** What would cost less, in words. */
  readonly advice: readonly string[];
}

export function costOf(usage: Usage): Cost {
  const qstash = qstashCost(usage.schedules);
  const redis = redisCost(usage, qstash.perMonth);
  const dollars = exact(qstash.dollars + redis.dollars);
  return { usage, qstash, redis, dollars, advice: adviceFor(usage, { qstash, redis }) };
}

function qstashCost(mode: ScheduleMode): Cost['qstash'] {
  const wanted = mode === 'none' ? [] : mode === 'three' ? EXPECTED_SCHEDULES : [TICK_SCHEDULE];
  const lines = wanted.map(({ id, intervalMs }) => ({ what: id, perMonth: (DAYS_PER_MONTH * DAY_MS) / intervalMs }));
  const perMonth = sumOf(lines);
  const freePerMonth = PRICES.qstash.freeMessagesPerDay * DAYS_PER_MONTH;
  const isFree = perMonth <= freePerMonth;
  return {
    lines,
    perMonth,
    freePerMonth,
    worstPerMonth: perMonth * (1 + SCHEDULE_RETRIES),
    plan: isFree ? 'free' : 'pay-as-you-go',
    dollars: isFree ? 0 : exact(perMonth * PRICES.qstash.perMessage),
  };
}

/** Without what binary fractions add: `0.3096`, not `0.30960000000000004`. */
function exact(dollars: number): number {
  return Number(dollars.toFixed(6));
}

function redisCost(usage: Usage, messagesPerMonth: number): ServiceCost {
  const lines = [
    ...EXPECTED_SCHEDULES.map(({ worker, intervalMs }) => ({
      what: `runs of the ${worker}`,
      perMonth: ((DAYS_PER_MONTH * DAY_MS) / intervalMs) * PER_RUN[worker],
    })),
    { what: 'emails', perMonth: usage.emailsPerDay * DAYS_PER_MONTH * REDIS_COMMANDS.perEmail },
    {
      what: 'QStash messages, remembered',
      perMonth:
        messagesPerMonth * (REDIS_COMMANDS.perMessage + (usage.schedules === 'one-tick' ? REDIS_COMMANDS.perTick : 0)),
    },
    { what: 'watching', perMonth: watchingPerDay(usage) * DAYS_PER_MONTH },
  ].map(({ what, perMonth }) => ({ what, perMonth: Math.ceil(perMonth) }));
  const perMonth = sumOf(lines);
  const { freeCommandsPerMonth, perCommand, fixedPlanPerMonth } = PRICES.redis;
  const byCommand = exact(perMonth * perCommand);
  const plan = perMonth <= freeCommandsPerMonth ? 'free' : byCommand <= fixedPlanPerMonth ? 'pay-as-you-go' : 'fixed';
  const dollars = { free: 0, 'pay-as-you-go': byCommand, fixed: fixedPlanPerMonth }[plan];
  return { lines, perMonth, freePerMonth: freeCommandsPerMonth, plan, dollars };
}

function watchingPerDay({ watchHoursPerDay, activeHoursPerDay, refreshMs }: Usage): number {
  if (refreshMs !== null) return watchHoursPerDay * commandsPerHour(refreshMs);
  const active = Math.min(activeHoursPerDay, watchHoursPerDay);
  return active * commandsPerHour(FAST_MS) + (watchHoursPerDay - active) * commandsPerHour(SLOWEST_MS);
}

/** What an hour of watching costs at most, refreshed so often, while all workers are on their schedules. */
export function commandsPerHour(refreshMs: number): number {
  const { perRefresh, perRest, perRunSeen } = REDIS_COMMANDS;
  const runs = EXPECTED_SCHEDULES.map(({ worker, intervalMs }) => perRunSeen[worker] / intervalMs);
  const perMs = perRefresh / refreshMs + perRest / goodForMs(refreshMs) + runs.reduce((sum, each) => sum + each, 0);
  return perMs * HOUR_MS;
}

const PER_RUN = {
  'queue-processor': REDIS_COMMANDS.perProcessorRun,
  'health-monitor': REDIS_COMMANDS.perMonitorRun,
  'quota-sync': REDIS_COMMANDS.perQuotaRun,
} as const;

function adviceFor(usage: Usage, { qstash, redis }: Pick<Cost, 'qstash' | 'redis'>): string[] {
  const watching = redis.lines.at(-1)?.perMonth ?? 0;
  const rest = redis.freePerMonth - (redis.perMonth - watching);
  const commandsPerDay = Math.floor(rest / DAYS_PER_MONTH);
  return [
    ...(qstash.plan !== 'free' && usage.schedules === 'three'
      ? ['One schedule instead of three fits the free tier of QStash: email-ops schedules sync --one-tick']
      : []),
    ...(redis.plan !== 'free' && watching > 0 && commandsPerDay > 0
      ? [
          `Watching less often fits the free tier of Redis: email-ops watch --budget ${commandsPerDay}/day, for all consoles together`,
        ]
      : []),
    ...(qstash.plan === 'free' && qstash.worstPerMonth > qstash.freePerMonth
      ? ['Should every delivery fail and be repeated, QStash may count more than its free tier has.']
      : []),
  ];
}

function sumOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { perMonth }) => sum + perMonth, 0);
}
