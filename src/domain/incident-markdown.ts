/** An incident as Markdown, charts as text: for tickets, chats and post-mortems. Pure. */
import { formatAge, formatInstant, plural } from './format.ts';
import type { Incident } from './incident.ts';
import { sparkText } from './spark.ts';
import { cleanText } from './text.ts';
import { levelWord } from './verdict-words.ts';

const CHART_CELLS = 72;

export function incidentMarkdown(incident: Incident): string {
  return [heading(incident), reasons(incident), numbers(incident), timeline(incident), charts(incident), ''].join('\n');
}

function heading({ environment, level, writtenAtEpochMs, author }: Incident): string {
  const word = level === null ? 'unknown' : levelWord(level);
  return `# Email system, ${markdown(environment)}: ${word}\n\n${formatInstant(writtenAtEpochMs)}, written by ${markdown(author)}. All times are UTC.\n`;
}

function reasons({ reasons: found }: Incident): string {
  const lines = found.map(({ level, text, action }) => {
    const advice = action === null ? '' : ` → ${markdown(action)}`;
    return `- **${levelWord(level)}**: ${markdown(text)}${advice}`;
  });
  return ['## Why', '', ...(lines.length === 0 ? ['Nothing is wrong.'] : lines), ''].join('\n');
}

function numbers({ numbers: lines }: Incident): string {
  return ['## Numbers', '', ...lines.map((line) => `- ${markdown(line)}`), ''].join('\n');
}

function timeline({ timeline: moments, undatedAlerts, sinceEpochMs, writtenAtEpochMs }: Incident): string {
  const lines = moments.map(({ atEpochMs, what }) => `- ${formatInstant(atEpochMs).slice(5, -4)} ${markdown(what)}`);
  return [
    `## Timeline of the last ${formatAge(writtenAtEpochMs - sinceEpochMs)}`,
    '',
    ...(lines.length === 0 ? ['Nothing.'] : lines),
    ...(undatedAlerts === 0 ? [] : [`- ${plural(undatedAlerts, 'alert')} without a time.`]),
    '',
  ].join('\n');
}

function charts({ charts: all, sinceEpochMs, writtenAtEpochMs }: Incident): string {
  const lines = all.flatMap(({ title, traces, format }) =>
    traces.map(({ name, values }) => {
      const cells = thinned(values, CHART_CELLS);
      const highest = Math.max(...cells.map((value) => value ?? 0));
      return `${`${title}, ${name}`.padEnd(30)} ${sparkText(cells)} max ${format(highest)}`;
    }),
  );
  const span = `The last ${formatAge(writtenAtEpochMs - sinceEpochMs)}, highest values.`;
  return ['## Charts', '', span, '', '```', ...lines, '```'].join('\n');
}

/** The highest of each group of neighbours, `cells` in all. */
function thinned(values: readonly (number | null)[], cells: number): readonly (number | null)[] {
  const size = values.length / cells;
  return Array.from({ length: cells }, (_, index) => {
    const known = values.slice(index * size, (index + 1) * size).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
}

/** Text from outside must become neither markup nor a link that somebody clicks, and stays on its line. */
function markdown(text: string): string {
  return cleanText(text, 2_000)
    .replaceAll(/[\\`*_~<>[\]|#&!$]/g, '\\$&')
    .replaceAll(/:(?=\/\/)|(?<=\bwww)\.|(?<=\bmailto):/gi, '\\$&');
}
