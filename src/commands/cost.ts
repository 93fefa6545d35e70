/** `email-ops cost`: what the email system costs a month at Upstash. Computes from what it is told, and asks no system. */
import { type Cost, costOf, PRICES, SCHEDULE_MODES, type ScheduleMode, type ServiceCost } from '../domain/cost.ts';
import { formatAge, formatCount } from '../domain/format.ts';
import { jsonText } from '../domain/json.ts';
import { type Command, EXIT, type Invocation, UsageError } from './command.ts';
import { JSON_OPTION, parseDuration, wholeNumber } from './options.ts';
import { type Look, lookOf, paint, shown } from './render/look.ts';

type Options = {
  emails: number;
  schedules: ScheduleMode;
  watching: number;
  active: number;
  interval?: number;
  json?: boolean;
};

const MOST_EMAILS = 100_000_000;

export const cost: Command<Options> = {
  name: 'cost',
  summary: 'what the system costs a month at Upstash, by volume, schedules and hours of watching',
  options: [
    { flags: '--emails <count>', description: 'emails a day', parse: wholeNumber(0, MOST_EMAILS), default: 1_000 },
    {
      flags: '--schedules <mode>',
      description: 'who calls the workers: three QStash schedules, one-tick, or none (`work`, Vercel cron)',
      choices: SCHEDULE_MODES,
      default: 'three',
    },
    {
      flags: '--watching <hours>',
      description: 'hours a day that a console is open, all consoles together',
      parse: readHours,
      default: 8,
    },
    {
      flags: '--active <hours>',
      description: 'of those, hours a day that somebody presses keys or something is wrong',
      parse: readHours,
      default: 1,
    },
    {
      flags: '--interval <time>',
      description: 'how often those refresh, where it is not left to the dashboard',
      parse: readInterval,
    },
    JSON_OPTION,
  ],
  examples: [
    {
      line: 'email-ops cost',
      what: '1,000 emails a day, three schedules, a console open for eight hours, used for one',
    },
    { line: 'email-ops cost --emails 50000 --schedules one-tick', what: 'a busier system, one QStash schedule' },
    { line: 'email-ops cost --watching 24', what: 'a console that is left open day and night' },
    { line: 'email-ops cost --watching 24 --interval 1s', what: 'one that refreshes every second' },
  ],
  run,
};

async function run({ options, io }: Invocation<Options>): Promise<number> {
  const estimate = costOf({
    emailsPerDay: options.emails,
    schedules: options.schedules,
    watchHoursPerDay: options.watching,
    activeHoursPerDay: options.active,
    refreshMs: options.interval ?? null,
  });
  const look = lookOf(io);
  io.stdout.write(
    options.json === true ? `${jsonText({ version: 1, ...estimate })}\n` : shown(costLines(estimate, look), look),
  );
  return EXIT.ok;
}

export function costLines({ usage, qstash, redis, dollars, advice }: Cost, look: Look): readonly string[] {
  const { emailsPerDay, schedules, watchHoursPerDay, activeHoursPerDay, refreshMs } = usage;
  const active = Math.min(activeHoursPerDay, watchHoursPerDay);
  const cadence = refreshMs === null ? `in use for ${active} h` : `every ${formatAge(refreshMs)}`;
  return [
    `${formatCount(emailsPerDay)} emails a day · schedules: ${schedules} · watching ${watchHoursPerDay} h a day, ${cadence}`,
    '',
    serviceHeading('QStash', qstash.dollars, look),
    ...serviceLines(qstash, 'messages', look),
    '',
    serviceHeading('Redis', redis.dollars, look),
    ...serviceLines(redis, 'commands', look),
    '',
    serviceHeading('Together, a month', dollars, look),
    ...advice.map((text) => `  → ${text}`),
    '',
    paint(
      'muted',
      `Prices of ${PRICES.asOf}, a month of 30 days, without taxes. What the email providers and Supabase`,
      look,
    ),
    paint(
      'muted',
      'cost is not in it. Upstash may bill the commands inside of scripts: compare with its console.',
      look,
    ),
  ];
}

function serviceHeading(name: string, dollars: number, look: Look): string {
  return paint('heading', `${name.padEnd(WORDS_CELLS + 2)}${formatDollars(dollars).padStart(COUNT_CELLS)}`, look);
}

const WORDS_CELLS = 30;
const COUNT_CELLS = 12;

function serviceLines({ lines, perMonth, freePerMonth, plan }: ServiceCost, unit: string, look: Look): string[] {
  const line = (what: string, count: number) =>
    `  ${what.padEnd(WORDS_CELLS)}${formatCount(count).padStart(COUNT_CELLS)}`;
  return [
    ...lines.map(({ what, perMonth: count }) => line(what, count)),
    paint('heading', line(`${unit} a month`, perMonth), look),
    paint(plan === 'free' ? 'ok' : 'muted', `${line('free tier', freePerMonth)}  ${FITS[plan]}`, look),
  ];
}

const FITS = {
  free: 'it fits',
  'pay-as-you-go': 'exceeded: paid by use',
  fixed: 'exceeded: the plan at a fixed price is the cheapest',
} as const;

/** `free`, `$0.31`, `$12.00`. */
export function formatDollars(dollars: number): string {
  return dollars === 0 ? 'free' : `$${Math.max(0.01, dollars).toFixed(2)}`;
}

function readHours(text: string): number {
  const hours = /^\d{1,4}(\.\d{1,2})?$/.test(text) ? Number(text) : Number.NaN;
  if (hours <= 2_400) return hours;
  throw new UsageError(`'${text}' is not a number of hours a day such as 8, or 24 for three consoles of eight hours`);
}

function readInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs < 500) throw new UsageError(`'${text}' is under the minimum of 500ms`);
  return intervalMs;
}
