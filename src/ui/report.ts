/** The incident so far as Markdown: verdict, numbers, timeline, and the charts as text. Pure; addresses stay masked. */

import { formatAge, formatCount, formatInstant, formatPercent } from '../domain/format.ts';
import { lastValue } from '../domain/loaded.ts';
import { downsample } from '../domain/metric.ts';
import { completeQuotas, percentUsed } from '../domain/quota.ts';
import { runWords } from '../domain/run-words.ts';
import { cleanText } from '../domain/text.ts';
import { levelWord } from './banner-words.ts';
import { sparkText } from './bars.ts';
import { rangeOf, SERIES } from './chart.ts';
import { type State, shownNow, shownPicture } from './state.ts';
import { drainWords, lockWords, outside } from './words.ts';

export function reportOf(state: State): string {
  const now = shownNow(state);
  const sections = [
    heading(state, now),
    reasons(state),
    numbers(state, now),
    timeline(state, now),
    charts(state, now),
    '',
  ];
  return sections.join('\n');
}

function heading(state: State, now: number): string {
  const level = state.verdict === null ? 'unknown' : levelWord(state.verdict.level);
  return `# Email system, ${markdown(state.environment?.name ?? 'unknown')}: ${level}\n\n${formatInstant(now)}, written by ${markdown(state.operator)}. All times are UTC.\n`;
}

function reasons({ verdict }: State): string {
  const lines = (verdict?.reasons ?? []).map(({ level, text, action }) => {
    const advice = action === undefined ? '' : ` → ${markdown(action)}`;
    return `- **${levelWord(level)}**: ${markdown(text)}${advice}`;
  });
  return ['## Why', '', ...(lines.length === 0 ? ['Nothing is wrong.'] : lines), ''].join('\n');
}

function numbers(state: State, now: number): string {
  const picture = shownPicture(state);
  const queue = picture.queue === null ? undefined : lastValue(picture.queue);
  const lock = picture.lock === null ? undefined : lastValue(picture.lock);
  const lines = [
    ...(queue === undefined
      ? ['- Queue: not known']
      : [
          `- Queue: ${formatCount(queue.ready)} ready, ${formatCount(queue.counts.processing)} in processing, ${formatCount(queue.waitingRetry)} wait for a retry, ${formatCount(queue.unreviewedDeadLetters)} dead letters not reviewed; ${drainWords(queue, now).text}`,
          ...completeQuotas(queue.quotas).map(
            ({ provider, day, month }) =>
              `- ${provider}: ${formatCount(day.sent)}/${formatCount(day.limit)} today (${formatPercent(percentUsed(day))}), ${formatCount(month.sent)}/${formatCount(month.limit)} this month (${formatPercent(percentUsed(month))})`,
          ),
        ]),
    `- Lock: ${lock === undefined ? 'not known' : markdown(lockWords(lock, queue?.counts.processing ?? null, now).text)}`,
  ];
  return ['## Numbers', '', ...lines, ''].join('\n');
}

interface Moment {
  readonly atEpochMs: number;
  readonly what: string;
}

function timeline(state: State, now: number): string {
  const picture = shownPicture(state);
  const alerts = picture.alerts === null ? [] : (lastValue(picture.alerts)?.alerts ?? []);
  const runs = picture.runs === null ? [] : (lastValue(picture.runs)?.runs ?? []);
  const lock = picture.lock === null ? undefined : lastValue(picture.lock)?.lock;
  const moments: Moment[] = [
    ...alerts.flatMap(({ atEpochMs, severity, text, repeats }) =>
      atEpochMs === null
        ? []
        : [{ atEpochMs, what: `alert, ${severity}: ${outside(text, 300)}${repeats > 1 ? ` (${repeats} times)` : ''}` }],
    ),
    ...runs.map((run) => ({
      atEpochMs: run.startedAtEpochMs,
      what: `run of ${run.worker} on ${run.host}: ${[run.outcome, runWords(run.worker, run)].filter((word) => word !== '').join(', ')}${run.error === null ? '' : `; ${outside(run.error, 200)}`}`,
    })),
    ...(lock?.kind === 'paused'
      ? [
          {
            atEpochMs: lock.startedAtEpochMs,
            what: `paused by ${lock.operator}@${lock.host}: ${outside(lock.reason, 200)}`,
          },
        ]
      : []),
    ...state.history.map(({ atEpochMs, outcome }) => ({ atEpochMs, what: `${state.operator}: ${outcome.text}` })),
  ];
  const from = now - rangeOf(state.chart).ms;
  const shown = moments.filter(({ atEpochMs }) => atEpochMs >= from).sort((a, b) => a.atEpochMs - b.atEpochMs);
  const lines = shown.map(
    ({ atEpochMs, what }) => `- ${formatInstant(atEpochMs).slice(5, -4)} ${markdown(outside(what, 600))}`,
  );
  const undated = alerts.filter(({ atEpochMs }) => atEpochMs === null).length;
  return [
    `## Timeline of the last ${formatAge(now - from)}`,
    '',
    ...(lines.length === 0 ? ['Nothing.'] : lines),
    ...(undated === 0 ? [] : [`- ${formatCount(undated)} alerts carry no time.`]),
    '',
  ].join('\n');
}

const CHART_CELLS = 72;

function charts(state: State, now: number): string {
  const { metrics } = shownPicture(state);
  const points = metrics === null ? [] : (lastValue(metrics)?.points ?? []);
  const range = rangeOf(state.chart);
  const lines = SERIES.flatMap(({ title, traces, format }) =>
    traces.map((trace) => {
      const window = { fromEpochMs: now - range.ms, toEpochMs: now, buckets: CHART_CELLS };
      const buckets = downsample(points, trace.pick, window);
      const highest = Math.max(...buckets.map((bucket) => bucket?.max ?? 0));
      return `${`${title}, ${trace.name}`.padEnd(30)} ${sparkText(buckets.map((bucket) => bucket?.max ?? null))} max ${format(highest)}`;
    }),
  );
  return ['## Charts', '', `The last ${range.title}, highest values.`, '', '```', ...lines, '```'].join('\n');
}

/** Text from outside must become neither markup nor a link that somebody clicks, and stays on its line. */
function markdown(text: string): string {
  return cleanText(text, 2_000)
    .replaceAll(/[\\`*_~<>[\]|#&!$]/g, '\\$&')
    .replaceAll(/:(?=\/\/)|(?<=\bwww)\.|(?<=\bmailto):/gi, '\\$&');
}
