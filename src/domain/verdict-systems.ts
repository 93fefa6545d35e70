/** The verdict's rules about the systems themselves: who answers, what is missing or malformed in what they answered. */
import { formatAge, plural } from './format.ts';
import { type Fault, type Loaded, lastValue } from './loaded.ts';
import type { Snapshot } from './snapshot.ts';
import { one, reason, type VerdictReason, type VerdictThresholds } from './verdict-reason.ts';

const SYSTEMS = [
  { name: 'Redis', parts: ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs'], isVital: true },
  { name: 'Postgres', parts: ['queue'], isVital: true },
  { name: 'QStash', parts: ['schedules'], isVital: false },
] as const;

export function systemsUnreachable(
  snapshot: Snapshot,
  { staleCriticalMs }: VerdictThresholds,
): readonly VerdictReason[] {
  return SYSTEMS.flatMap(({ name, parts, isVital }) => {
    const broken = parts.flatMap((part) => brokenPart(snapshot[part], part));
    const [first] = broken;
    if (first === undefined) return [];
    const isWhole = broken.length === parts.length && broken.every(({ error }) => error.code === first.error.code);
    if (!isWhole) return broken.map(({ part, error }) => partReason(name, part, error));
    const since = (times: readonly (number | null)[]) =>
      snapshot.takenAtEpochMs - Math.max(...times.map((atEpochMs) => atEpochMs ?? 0));
    const staleMs = since(broken.map(({ atEpochMs }) => atEpochMs));
    const failingMs = since(broken.map(({ sinceEpochMs }) => sinceEpochMs));
    const age = first.atEpochMs === null ? '' : `, showing values from ${formatAge(staleMs)} ago`;
    const level = isVital && failingMs > staleCriticalMs ? 'critical' : 'warning';
    return reason(level, `${name.toLowerCase()}-${first.error.code}`, {
      text: `${name} ${WORD_BY_CODE[first.error.code]}${detailOf(first.error, name)}${age}`,
      action: first.error.remedy,
    });
  });
}

const WORD_BY_CODE: Readonly<Record<Fault['code'], string>> = {
  'not-configured': 'not configured',
  timeout: 'unreachable',
  unreachable: 'unreachable',
  unauthorized: 'refuses our credentials',
  'missing-schema': 'lacks what we need',
  'rate-limited': 'limits us',
  protocol: 'answers nonsense',
  cancelled: 'was not waited for',
  internal: 'could not be read',
};

/** Not configured has its own rule; what was not waited for says nothing about the system. */
const NO_OUTAGE: ReadonlySet<Fault['code']> = new Set(['not-configured', 'cancelled']);

interface BrokenPart {
  readonly part: string;
  readonly error: Fault;
  /** Of the last good value, and of the first failure after it; null where there never was a value. */
  readonly atEpochMs: number | null;
  readonly sinceEpochMs: number | null;
}

function brokenPart(loaded: Loaded<unknown>, part: string): readonly BrokenPart[] {
  if (loaded.state === 'ok' || NO_OUTAGE.has(loaded.error.code)) return [];
  const { error } = loaded;
  if (loaded.state === 'failed') return [{ part, error, atEpochMs: null, sinceEpochMs: null }];
  const { atEpochMs, failingSinceEpochMs = atEpochMs } = loaded;
  return [{ part, error, atEpochMs, sinceEpochMs: failingSinceEpochMs }];
}

function partReason(system: string, part: string, error: Fault): VerdictReason {
  const text = `${part} could not be read: ${error.message}`;
  return one('warning', `${system.toLowerCase()}-part-${error.code}`, { text, action: error.remedy });
}

/** What the gateways' own sentence says that the word for its code has said already. */
const SAID_BY_CODE: Partial<Record<Fault['code'], RegExp>> = {
  unreachable: /^not reachable(?= \()/,
  unauthorized: /^does not accept our credentials(?= \(|: )/,
};

/** 'Redis did not answer within 2000 ms.' → ': did not answer within 2000 ms', because the name stands before it already. */
function detailOf({ code, message }: Fault, name: string): string {
  const sentence = message.replace(new RegExp(`^${name} (is )?`), '').replace(/\.$/, '');
  const said = SAID_BY_CODE[code]?.exec(sentence)?.[0];
  return said === undefined ? `: ${sentence}` : sentence.slice(said.length);
}

export function migrationMissing(snapshot: Snapshot): readonly VerdictReason[] {
  if (lastValue(snapshot.queue)?.schemaVersion !== null) return [];
  return reason('warning', 'migration-missing', {
    text: 'the database lacks the email-ops migration: workers refuse to process, leases are unknown',
    action: 'Apply supabase/migrations; email-ops doctor shows how.',
  });
}

export function notConfigured(snapshot: Snapshot): readonly VerdictReason[] {
  return SYSTEMS.flatMap(({ name, parts }) => {
    const part = snapshot[parts[0]];
    if (part.state !== 'failed' || part.error.code !== 'not-configured') return [];
    const code = `${name.toLowerCase()}-not-configured`;
    return reason('ok', code, { text: part.error.message.replace(/\.$/, ''), action: part.error.remedy });
  });
}

export function malformedEntries(snapshot: Snapshot): readonly VerdictReason[] {
  const parts = ['health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'] as const;
  return parts.flatMap((part) => {
    const skipped = lastValue<{ readonly skipped?: number }>(snapshot[part])?.skipped ?? 0;
    if (skipped === 0) return [];
    const text = `${plural(skipped, 'malformed entry', 'malformed entries')} in ${part} skipped`;
    return reason('ok', `malformed-${part}`, { text });
  });
}
