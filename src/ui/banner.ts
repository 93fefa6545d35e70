/** The two lines at the top of every view: where we are, how it is, who holds the queue, and what looking costs. Pure. */
import { FAST_MS } from '../domain/cadence.ts';
import { DAYS_PER_MONTH, PRICES } from '../domain/cost.ts';
import { formatAge, formatCount } from '../domain/format.ts';
import { lastValue } from '../domain/loaded.ts';
import { countdown, lockWords } from '../domain/state-words.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../domain/time.ts';
import { levelWord } from '../domain/verdict-words.ts';
import { verdictReasons } from './banner-words.ts';
import { overdueMs } from './cadence.ts';
import { cut, joinFitting, type Line, line, type Role, seg, spread, widthOf } from './line.ts';
import { commandsPerHour, waitingFor } from './reduce.ts';
import { type State, shownNow, shownPicture } from './state.ts';

export function bannerLines(state: State, columns: number): readonly Line[] {
  return [verdictLine(state, columns), stateLine(state, columns)];
}

function verdictLine(state: State, columns: number): Line {
  const clock = line(seg(`${clockOf(state.nowEpochMs)} UTC`, 'muted'));
  const badges = [...environmentBadge(state), seg(' '), verdictBadge(state), seg(' ')];
  const room = columns - widthOf(badges) - widthOf(clock) - 1;
  return spread([...badges, ...cut(verdictWords(state, room), room)], clock, columns, columns - widthOf(clock) - 1);
}

/** With seconds, in UTC. */
function clockOf(atEpochMs: number): string {
  return new Date(atEpochMs).toISOString().slice(11, 19);
}

function environmentBadge({ environment }: State): Line {
  if (environment === null) return line(seg(' email-ops ', 'badge-local'));
  const { name, isSandbox } = environment;
  if (isSandbox) return line(seg(name === 'sandbox' ? ' SANDBOX ' : ` SANDBOX ${name.slice(0, 16)} `, 'badge-sandbox'));
  const role: Role = name === 'local' ? 'badge-local' : 'badge-production';
  return line(seg(` ${name.toUpperCase().slice(0, 24)} `, role));
}

function verdictBadge(state: State) {
  if (state.closing !== null) return seg(' LEAVING ', 'badge-warning');
  if (state.verdict === null) return seg(' CONNECTING ', 'badge-local');
  const role = {
    ok: 'badge-ok',
    warning: 'badge-warning',
    critical: 'badge-critical',
    unreachable: 'badge-critical',
  } as const;
  return seg(` ${levelWord(state.verdict.level)} `, role[state.verdict.level]);
}

function verdictWords(state: State, room: number): Line {
  const { connection, verdict } = state;
  if (state.closing !== null) return line(state.closing);
  if (verdict === null)
    return line(connection.kind === 'connecting' ? `${connection.step}…` : `${waitingFor(state) ?? 'reading'}…`);
  const reasons = verdictReasons(verdict);
  const [first = '', ...rest] = reasons;
  const headline = line(first);
  // The first is the one that matters: it is cut rather than left out for one that is shorter.
  return widthOf(headline) > room ? headline : joinFitting([headline, ...rest.map((text) => line(text))], room);
}

function stateLine(state: State, columns: number): Line {
  // Who holds the queue is always said, however little room there is; what looking costs only where there is more.
  const first = join([...modeFacts(state), lockFact(state)]);
  const left = widthOf(first) > columns ? cut(first, columns) : joinFitting([first, workersFact(state)], columns);
  const room = Math.max(0, columns - widthOf(left) - 2);
  const refresh = refreshFacts(state).find((fact) => widthOf(fact) <= room) ?? [];
  return spread(left, joinFitting([refresh, costFact(state)], room), columns, columns);
}

function join(facts: readonly Line[]): Line {
  return joinFitting(facts, Number.POSITIVE_INFINITY);
}

function modeFacts(state: State): Line[] {
  const facts: Line[] = [];
  if (state.frozen !== null) facts.push(line(seg(`FROZEN at ${clockOf(state.frozen.atEpochMs)}`, 'warning')));
  if (state.readOnly !== null) facts.push(line(seg('READ-ONLY', 'accent')));
  else if (state.safe !== null) facts.push(armedFact(state.safe.armedUntilEpochMs, state.nowEpochMs));
  if (!state.isMasked) facts.push(line(seg('ADDRESSES SHOWN', 'warning')));
  return facts;
}

function armedFact(armedUntilEpochMs: number | null, nowEpochMs: number): Line {
  const isArmed = armedUntilEpochMs !== null && armedUntilEpochMs > nowEpochMs;
  return isArmed
    ? line(seg(`ARMED ${countdown(armedUntilEpochMs - nowEpochMs)}`, 'warning'))
    : line(seg('VIEW ONLY', 'accent'));
}

function lockFact(state: State): Line {
  const { lock, queue } = shownPicture(state);
  const known = lock === null ? undefined : lastValue(lock);
  if (known === undefined) return line(seg(lock === null ? 'lock …' : 'lock not known', 'muted'));
  const inFlight = queue === null ? null : (lastValue(queue)?.counts.processing ?? null);
  const now = shownNow(state);
  const { text, role } = lockWords(known, inFlight, now);
  if (lock?.state !== 'stale') return line(seg(text, role));
  // Nobody may take for the present what Redis said before it fell silent.
  return line(seg(`${text}, ${formatAge(now - lock.atEpochMs)} ago`, 'muted'));
}

function workersFact({ workers }: State): Line {
  if (workers === 'unavailable') return [];
  return line(seg(`workers ${workers}`, workers === 'on' || workers === 'draining' ? 'ok' : 'muted'));
}

/** The same, from the longest to the shortest. Old only when a refresh has been missed: its clock takes fewer bytes than its age. */
function refreshFacts(state: State): readonly Line[] {
  const { lastReadAtEpochMs, refreshMs, nowEpochMs, cadence } = state;
  if (lastReadAtEpochMs === null) return [];
  if (overdueMs(state) > refreshMs + 2_000)
    return [line(seg(`last refresh ${formatAge(nowEpochMs - lastReadAtEpochMs)} ago`, 'warning'))];
  const clock = clockOf(lastReadAtEpochMs);
  const every = `every ${formatAge(Math.max(SECOND_MS, Math.round(refreshMs / SECOND_MS) * SECOND_MS))}`;
  const until = cadence.kind === 'adaptive' && refreshMs > FAST_MS ? ' until a key' : '';
  return [`refreshed ${clock}, ${every}${until}`, `${clock}, ${every}`, `refreshed ${clock}`].map((text) =>
    line(seg(text, 'muted')),
  );
}

const HOURS_A_MONTH = (DAYS_PER_MONTH * DAY_MS) / HOUR_MS;

/** What this console and its workers sent, and what a month of it costs at Upstash; the sandbox bills nothing. */
function costFact(state: State): Line {
  const perHour = commandsPerHour(state);
  if (perHour === null) return [];
  // Two digits are enough for a bill, and do not run.
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, perHour))) - 1);
  const rounded = Math.round(perHour / digits) * digits;
  const { freeCommandsPerMonth, perCommand } = PRICES.redis;
  const dollars = Math.max(0, rounded * HOURS_A_MONTH - freeCommandsPerMonth) * perCommand;
  const price = state.environment?.isSandbox === true ? 'free here' : `$${dollars.toFixed(2)}/month`;
  return line(seg(`${formatCount(rounded)} cmd/h, ${price}`, 'muted'));
}
