/** `email-ops pause`: takes the queue lock for an operator, waits until the workers have given way, or prolongs a pause. */

import { setTimeout as delay } from 'node:timers/promises';
import { createQueueLock, type PauseStep, type QueueLock, type StandingPause } from '../data/queue-lock.ts';
import { formatClock, formatLeft, plural } from '../domain/format.ts';
import { formatPause, type Lock, type Pause, prolongedReason } from '../domain/lock.ts';
import { cleanText } from '../domain/text.ts';
import { MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { auditOf } from './audit.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needRedis, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { type Operator, operatorOf } from './operator.ts';
import { JSON_OPTION, parseDuration } from './options.ts';

const DEFAULT_MS = 30 * MINUTE_MS;
const LONGEST_MS = 24 * 60 * MINUTE_MS;
const LOOK_EVERY_MS = SECOND_MS;
/** A worker that has not given way by now finishes slow sends, or is a legacy one: looking less often is enough. */
const LOOK_LESS_AFTER_MS = 20 * SECOND_MS;
const LOOK_LESS_EVERY_MS = 3 * SECOND_MS;

type Options = { for?: number; reason?: string; force?: boolean; yes?: boolean; wait: boolean; json?: boolean };

export const pause: Command<Options> = {
  name: 'pause',
  summary: 'hold the queue: no worker, of any version, sends until it is resumed or the pause ends',
  options: [
    {
      flags: '--for <time>',
      description: 'how long, 10s to 24h, 30m unless told; on a standing pause: prolong it to so long from now',
      parse: parsePauseLength,
    },
    { flags: '--reason <text>', description: 'why; everybody sees it' },
    { flags: '--force', description: 'take the lock away from a worker that does not give way' },
    { flags: '-y, --yes', description: 'do not ask before taking it away' },
    { flags: '--no-wait', description: 'announce the pause and leave; it takes effect when the workers give way' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops pause --for 30m --reason "resend outage"', what: 'hold the queue for half an hour' },
    { line: 'email-ops pause --for 2h', what: 'on a standing pause: let it last two hours from now' },
    { line: 'email-ops pause --force --yes', what: 'also when a worker hangs and keeps the lock' },
  ],
  exitCodes: '0 paused, 1 not paused, 3 Redis could not be reached, 130 left while it still waited for a worker.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const redis = needRedis(systems).client;
  const lock = createQueueLock(redis, systems.clock, systems.config.worker.slots);
  const operator = operatorOf(environment);
  const forMs = options.for ?? DEFAULT_MS;
  const say = (line: string) => (options.json === true ? undefined : io.stdout.write(`${line}\n`));
  const audit = auditOf(systems, { io, environment });

  const standing = (await lock.state()).pause;
  const begun =
    standing === null
      ? await begin(lock, { operator, forMs, reason: options.reason, startedAtEpochMs: systems.clock.nowEpochMs() })
      : await prolong(lock, standing, { operator, forMs, reason: options.reason });
  const { described } = begun;
  await audit(standing === null ? 'pause' : 'extend pause', standing?.value ?? described.value);
  let { step } = begun;
  if (step.kind === 'waiting' && options.force === true) {
    const { holder } = step;
    step = await takeAway(lock, described, step, { options, io, signal, isNew: standing === null });
    if (step.kind === 'paused') await audit('take the lock away', holderOf(holder));
  }
  if (step.kind === 'waiting') {
    const lasts = standing === null ? '' : ` The pause by ${nameOf(standing)} lasts ${until(described, io.now())} now.`;
    say(`Pausing: ${holderOf(step.holder)} ${givesWay(step.holder)} first, then nothing is sent.${lasts}`);
    if (options.wait) step = await untilTaken(lock, described.value, signal);
  }
  switch (step.kind) {
    case 'paused':
      if (options.json === true) io.stdout.write(pauseJson('paused', described));
      if (begun.isHeldAlready)
        say(`Paused already by ${nameOf(described)}; it lasts ${until(described, io.now())} now.`);
      else say(`Paused ${until(described, io.now())}. To lift it: email-ops resume`);
      return EXIT.ok;
    case 'waiting': {
      if (options.json === true) io.stdout.write(pauseJson('pausing', described));
      const still = plural(step.holders, 'worker is', 'workers are');
      say(`${still} still at it. The pause takes effect by itself when they end; to lift it: email-ops resume`);
      return options.wait ? EXIT.interrupted : EXIT.ok;
    }
    case 'exists':
      throw new CommandError(`${nameOf(step.pause)} paused at the same moment. Call it again to prolong that pause`);
    case 'gone':
      throw new CommandError('The pause was lifted by somebody else before it took effect');
  }
}

interface Begun {
  readonly described: StandingPause;
  readonly step: PauseStep;
  /** Everything stood still before: there was nothing to take. */
  readonly isHeldAlready: boolean;
}

async function begin(
  lock: QueueLock,
  wanted: { operator: Operator; forMs: number; reason: string | undefined; startedAtEpochMs: number },
): Promise<Begun> {
  const { operator, forMs, reason = '', startedAtEpochMs } = wanted;
  const pause = { operator: operator.name, host: operator.host, startedAtEpochMs, reason: cleanText(reason, 200) };
  const described = { ...pause, value: formatPause(pause), expiresAtEpochMs: startedAtEpochMs + forMs };
  return { described, step: await lock.pause(pause, { forMs }), isHeldAlready: false };
}

/** A pause that stands may still wait for a worker: then this one waits for it too, or takes the lock away. */
async function prolong(
  lock: QueueLock,
  standing: StandingPause,
  wanted: { operator: Operator; forMs: number; reason: string | undefined },
): Promise<Begun> {
  const { operator, forMs, reason } = wanted;
  const why = reason === undefined ? {} : { reason: cleanText(prolongedReason(standing, operator.name, reason), 200) };
  const extended = await lock.extend(standing, { forMs, ...why });
  if (extended === null) throw new CommandError('The pause ended at this moment. Call it again to pause anew');
  const step = await lock.advance(extended.value);
  return { described: extended, step, isHeldAlready: step.kind === 'paused' };
}

/** `--force`: says whom it takes the lock from, asks, and takes it. */
async function takeAway(
  lock: QueueLock,
  { value }: StandingPause,
  step: Extract<PauseStep, { kind: 'waiting' }>,
  { options, io, signal, isNew }: Pick<Invocation<Options>, 'options' | 'io' | 'signal'> & { isNew: boolean },
): Promise<PauseStep> {
  const question = `${holderOf(step.holder)} has the lock. Taken away, it starts nothing more within seconds; a legacy worker goes on to its end. Take it away?`;
  try {
    if (options.yes !== true && !(await confirm(io, question, signal))) return step;
  } catch (error) {
    // Not sure means not paused: an announcement that stays behind would surprise. One that was there before stays.
    if (isNew) await lock.resume(value);
    throw error;
  }
  return lock.advance(value, { force: true });
}

/** Looks until the lock is ours or there is nothing to wait for. When the operator leaves, the announcement stays. */
async function untilTaken(lock: QueueLock, value: string, signal: AbortSignal): Promise<PauseStep> {
  const startedAtMs = performance.now();
  for (;;) {
    const step = await lock.advance(value);
    if (step.kind !== 'waiting' || signal.aborted) return step;
    const everyMs = performance.now() - startedAtMs > LOOK_LESS_AFTER_MS ? LOOK_LESS_EVERY_MS : LOOK_EVERY_MS;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

export function refuseReadOnly({ config }: Systems): void {
  if (!config.readOnly) return;
  throw new CommandError('EMAIL_OPS_READ_ONLY is set, so nothing is changed here. Unset it to act');
}

export function nameOf({ operator, host }: Pause): string {
  return cleanText(`${operator}@${host}`, 80);
}

export function pauseJson(state: 'paused' | 'pausing' | 'running', standing: StandingPause | null): string {
  if (standing === null) return jsonLine({ state, pause: null });
  const { operator, host, reason, startedAtEpochMs, expiresAtEpochMs: untilEpochMs } = standing;
  return jsonLine({ state, pause: { operator, host, reason, startedAtEpochMs, untilEpochMs } });
}

function until({ expiresAtEpochMs }: StandingPause, nowEpochMs: number): string {
  if (expiresAtEpochMs === null) return 'until it is lifted';
  return `until ${formatClock(expiresAtEpochMs)} UTC (${formatLeft(expiresAtEpochMs - nowEpochMs)})`;
}

function holderOf(lock: Lock): string {
  return lock.kind === 'worker'
    ? `The worker on ${cleanText(lock.host, 60)} (process ${lock.pid})`
    : 'An unknown worker';
}

/** A legacy worker knows nothing of pauses. */
function givesWay({ kind }: Lock): string {
  return kind === 'worker' ? 'gives way' : 'goes on to its end';
}

function parsePauseLength(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 10 * SECOND_MS && ms <= LONGEST_MS) return ms;
  throw new UsageError(`'${text}' is not between 10s and 24h`);
}
