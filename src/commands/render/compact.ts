/** A snapshot in a few lines, for a stream that is read while it scrolls: what matters, then why it is not well. Pure. */
import { formatAge, formatCount, formatPercent, plural } from '../../domain/format.ts';
import { type Loaded, lastValue } from '../../domain/loaded.ts';
import { completeQuotas } from '../../domain/quota.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { drainWords } from '../../domain/state-words.ts';
import { cleanText } from '../../domain/text.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { levelWord } from '../../domain/verdict-words.ts';
import { wrap } from '../../domain/width.ts';
import { type Look, paint } from './look.ts';
import { describeLock } from './sections.ts';
import { ROLE_BY_LEVEL, reasonLines } from './status.ts';

const REASONS_SHOWN = 3;
const INDENT = '         ';

/** One block of lines; the first begins with the time of day in UTC and the verdict. */
export function compactLines(snapshot: Snapshot, verdict: Verdict, look: Look): string[] {
  const time = new Date(snapshot.takenAtEpochMs).toISOString().slice(11, 19);
  const head = `${time} ${paint(ROLE_BY_LEVEL[verdict.level], levelWord(verdict.level), look)}  ${cleanText(snapshot.environment.name, 40)}`;
  const facts = [
    queueFact(snapshot),
    lockFact(snapshot),
    quotaFact(snapshot),
    healthFact(snapshot),
    todayFact(snapshot),
  ];
  const body = wrap(facts.join(' · '), look.columns - INDENT.length).map((line) => INDENT + line);
  const bad = verdict.reasons.filter(({ level }) => level !== 'ok');
  const more =
    bad.length > REASONS_SHOWN ? [`${INDENT}… and ${plural(bad.length - REASONS_SHOWN, 'more reason')}`] : [];
  const narrow = { ...look, columns: look.columns - INDENT.length + 2 };
  const why = bad
    .slice(0, REASONS_SHOWN)
    .flatMap(({ level, text, code }) => reasonLines({ level, text, code }, narrow))
    .map((line) => INDENT + line.slice(2));
  return [head, ...body, ...why, ...more];
}

function queueFact(snapshot: Snapshot): string {
  return fact('queue', snapshot.queue, (queue) => {
    const now = snapshot.takenAtEpochMs;
    const oldest = queue.oldestReadyAtEpochMs === null ? '' : `, oldest ${formatAge(now - queue.oldestReadyAtEpochMs)}`;
    const dead = queue.unreviewedDeadLetters === 0 ? '' : `, ${plural(queue.unreviewedDeadLetters, 'dead letter')}`;
    const counts = `${formatCount(queue.ready)} ready${oldest}, ${formatCount(queue.counts.processing)} in processing${dead}`;
    return `${counts}, ${drainWords(queue, now).text}`;
  });
}

function lockFact(snapshot: Snapshot): string {
  return fact('lock', snapshot.lock, (lock) => `lock ${describeLock(lock, snapshot.takenAtEpochMs)}`);
}

function quotaFact(snapshot: Snapshot): string {
  return fact('quota', snapshot.queue, (queue) => {
    const days = completeQuotas(queue.quotas).map(({ day }) => day);
    const sent = days.reduce((sum, day) => sum + day.sent, 0);
    const limit = days.reduce((sum, day) => sum + day.limit, 0);
    return `quota of the day ${formatPercent(limit === 0 ? 100 : (sent / limit) * 100)}`;
  });
}

function healthFact(snapshot: Snapshot): string {
  return fact('health', snapshot.health, ({ report }) =>
    report === null ? 'no health check' : `${report.healthyProviders}/${report.totalProviders} providers healthy`,
  );
}

function todayFact(snapshot: Snapshot): string {
  return fact(
    'today',
    snapshot.stats,
    ({ successful, failed }) => `today ${formatCount(successful)} sent, ${formatCount(failed)} failed`,
  );
}

/** A value that could not be read says so and not more: the reasons below tell why. `(old)` marks a stale one. */
function fact<T>(name: string, part: Loaded<T>, render: (value: T) => string): string {
  const value = lastValue(part);
  if (value === undefined) {
    const isMeant = part.state === 'failed' && part.error.code === 'not-configured';
    return `${name} ${isMeant ? 'not configured' : 'not known'}`;
  }
  return part.state === 'stale' ? `${render(value)} (old)` : render(value);
}
