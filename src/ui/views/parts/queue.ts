/** The queue as a panel: how much waits, since when, whether it moves, and whether it will clear. */
import { ratesOf, trendOf } from '../../../domain/drain.ts';
import { formatAge, formatClock, formatCount, plural } from '../../../domain/format.ts';
import { lastValue } from '../../../domain/loaded.ts';
import type { QueueOverview } from '../../../domain/queue.ts';
import { sparkText } from '../../../domain/spark.ts';
import { drainWords, type Words } from '../../../domain/state-words.ts';
import { MINUTE_MS } from '../../../domain/time.ts';
import { wrap } from '../../../domain/width.ts';
import type { Rect } from '../../layout.ts';
import { type Line, line, seg, widthOf } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { depthHistory } from './chart.ts';

export function queuePanel(state: State, rect: Rect): Panel {
  const picture = shownPicture(state);
  const nowEpochMs = shownNow(state);
  return partPanel({ id: 'queue', rect, title: 'Queue', part: picture.queue, nowEpochMs }, (queue, room) => {
    const forecast = drainWords(queue, nowEpochMs);
    const lines = [
      readyLine(queue, nowEpochMs),
      // The answer that is asked for first.
      ...wrap(fittingText(forecast, room.width), Math.max(8, room.width)).map((text) => line(seg(text, forecast.role))),
      processingLine(queue, nowEpochMs),
      rateLine(queue, nowEpochMs, room.width),
      retryLine(queue),
      deadLine(queue),
      todayLine(state),
      ...sparkLines(state, queue, room.width, nowEpochMs),
      ...leaseLine(queue),
    ];
    return { lines: lines.slice(0, room.height), role: forecast.role === 'critical' ? 'critical' : 'muted' };
  });
}

function fittingText({ text, short }: Words, width: number): string {
  return text.length <= width ? text : (short ?? text);
}

function readyLine(queue: QueueOverview, nowEpochMs: number): Line {
  const oldest = queue.oldestReadyAtEpochMs;
  const age = oldest === null ? '' : `, oldest ${formatAge(nowEpochMs - oldest)}`;
  return line(seg(`${formatCount(queue.ready)} ready`, 'strong'), age);
}

const STUCK_MS = 3 * MINUTE_MS;

/** Busy, or stuck: in processing, and nothing came out for so long. */
function processingLine(queue: QueueOverview, nowEpochMs: number): Line {
  const { processing } = queue.counts;
  const text = `${formatCount(processing)} in processing`;
  if (processing === 0) return line(text);
  const since = queue.oldestProcessingAtEpochMs ?? null;
  const silentMs = since === null ? null : nowEpochMs - Math.max(since, queue.lastCompletedAtEpochMs ?? 0);
  if (silentMs === null || silentMs < STUCK_MS) return line(text, seg(', busy', 'ok'));
  return line(text, seg(`, stuck? ${formatAge(silentMs)}`, 'warning'));
}

const ARROWS = { rising: '↗', falling: '↘', still: '→' } as const;

function rateLine(queue: QueueOverview, nowEpochMs: number, width: number): Line {
  const rates = ratesOf(queue, nowEpochMs);
  const { sentPerMinute, enqueuedPerMinute } = rates;
  const net = enqueuedPerMinute - sentPerMinute;
  const trend = `${ARROWS[trendOf(rates)]} ${net > 0 ? '+' : ''}${rate(net)}/min`;
  const whole = `in ${rate(enqueuedPerMinute)}, out ${rate(sentPerMinute)} ${trend}`;
  return line(whole.length <= width ? whole : `${trend}, out ${rate(sentPerMinute)}`);
}

function rate(perMinute: number): string {
  return Math.abs(perMinute) < 10 ? perMinute.toFixed(1).replace('-0.0', '0.0') : formatCount(perMinute);
}

function retryLine(queue: QueueOverview): Line {
  if (queue.waitingRetry === 0) return line(seg('no retries wait', 'muted'));
  const next = queue.nextRetryAtEpochMs === null ? '' : `, next ${formatClock(queue.nextRetryAtEpochMs)}`;
  return line(`${plural(queue.waitingRetry, 'waits', 'wait')} for a retry${next}`);
}

function deadLine(queue: QueueOverview): Line {
  if (queue.deadLetters === 0) return line(seg('no dead letters', 'muted'));
  const open = queue.unreviewedDeadLetters;
  const known = open === 0 ? ', all reviewed' : `, ${formatCount(open)} not reviewed`;
  return line(seg(`${plural(queue.deadLetters, 'dead letter')}${known}`, open === 0 ? 'muted' : 'warning'));
}

function todayLine(state: State): Line {
  const { stats } = shownPicture(state);
  const today = stats === null ? undefined : lastValue(stats);
  if (today === undefined) return line(seg('today –', 'muted'));
  return line(
    `today ${formatCount(today.successful)} sent, `,
    seg(`${formatCount(today.failed)} failed`, today.failed > 0 ? 'warning' : 'text'),
  );
}

function sparkLines(state: State, queue: QueueOverview, width: number, nowEpochMs: number): Line[] {
  const depth = depthHistory(shownPicture(state).metrics, 24, nowEpochMs);
  const sent = queue.throughput.map((bucket) => bucket.sent);
  const labelled = (name: string, values: readonly (number | null)[]): Line => {
    const label = seg(`${name.padEnd(6)}`, 'muted');
    const room = width - widthOf([label]) - 4;
    return [label, seg(sparkText(values.slice(-Math.max(0, room))), 'first'), seg(' 2 h', 'muted')];
  };
  return [labelled('depth', depth), labelled('sent', sent)];
}

function leaseLine(queue: QueueOverview): Line[] {
  if (queue.expiredLeases === 0) return [];
  return [line(seg(`${plural(queue.expiredLeases, 'expired lease')}: worker gone`, 'warning'))];
}
