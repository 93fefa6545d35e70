/** One chart of an incident as inline SVG: lines with their gaps, a scale, and marks where something happened. Pure. */
import { formatClock } from './format.ts';
import type { Incident, IncidentChart, IncidentTrace, Moment } from './incident.ts';
import { escapeXml } from './markup.ts';

const WIDTH = 960;
const HEIGHT = 150;
const LEFT = 52;
const RIGHT = 8;
const TOP = 22;
const BOTTOM = 18;
const MOST_TICKS = 6;

export function chartSvg(
  chart: IncidentChart,
  { sinceEpochMs, writtenAtEpochMs, timeline }: Pick<Incident, 'sinceEpochMs' | 'writtenAtEpochMs' | 'timeline'>,
): string {
  const span = Math.max(1, writtenAtEpochMs - sinceEpochMs);
  const x = (atEpochMs: number) => LEFT + ((atEpochMs - sinceEpochMs) / span) * (WIDTH - LEFT - RIGHT);
  const names = chart.traces.map(({ name }) => name).join(', ');
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(`${chart.title}: ${names}`)}">`,
    ...scale(chart),
    ...ticks(sinceEpochMs, writtenAtEpochMs, x),
    ...timeline.filter(({ kind }) => kind !== 'run').map((moment) => mark(moment, x(moment.atEpochMs))),
    ...chart.traces.map((trace) => line(trace, chart)),
    ...legend(chart),
    '</svg>',
  ].join('\n');
}

function scale({ top, format }: IncidentChart): readonly string[] {
  return [0, 0.5, 1].map((share) => {
    const at = y(share * top, top);
    const label = escapeXml(format(share * top));
    return `<line class="axis" x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}"/><text x="${LEFT - 6}" y="${round(at + 4)}" text-anchor="end">${label}</text>`;
  });
}

function ticks(from: number, to: number, x: (atEpochMs: number) => number): readonly string[] {
  return Array.from({ length: MOST_TICKS }, (_, index) => {
    const at = from + ((to - from) * index) / (MOST_TICKS - 1);
    const anchor = index === 0 ? 'start' : index === MOST_TICKS - 1 ? 'end' : 'middle';
    return `<text x="${round(x(at))}" y="${HEIGHT - 4}" text-anchor="${anchor}">${formatClock(at)}</text>`;
  });
}

function mark({ kind, what, atEpochMs }: Moment, at: number): string {
  const words = escapeXml(`${formatClock(atEpochMs)} ${what}`);
  return `<line class="${kind}" x1="${round(at)}" y1="${TOP}" x2="${round(at)}" y2="${HEIGHT - BOTTOM}"><title>${words}</title></line>`;
}

/** A gap in the values is a gap in the line; a lone value is a short dash. */
function line({ values, role }: IncidentTrace, { top }: IncidentChart): string {
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, values.length);
  const path = values
    .map((value, index) => {
      if (value === null) return '';
      const from = round(LEFT + (index + 0.5) * step);
      const isFirst = (values[index - 1] ?? null) === null;
      const isAlone = isFirst && (values[index + 1] ?? null) === null;
      return `${isFirst ? 'M' : 'L'}${from} ${y(value, top)}${isAlone ? `h${round(step)}` : ''}`;
    })
    .join('');
  return `<path class="trace ${role}" d="${path === '' ? 'M0 0' : path}"/>`;
}

function legend({ title, traces }: IncidentChart): readonly string[] {
  const entries = traces.map(({ name, role }, index) => {
    const at = WIDTH - RIGHT - (traces.length - index) * 110;
    return `<line class="trace ${role}" x1="${at}" y1="10" x2="${at + 18}" y2="10"/><text x="${at + 24}" y="14">${escapeXml(name)}</text>`;
  });
  return [`<text class="title" x="${LEFT}" y="14">${escapeXml(title)}</text>`, ...entries];
}

function y(value: number, top: number): number {
  const share = Math.min(1, Math.max(0, value / Math.max(top, Number.MIN_VALUE)));
  return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
