/** Doctor: does QStash take our token, are the schedules as they should be, and are our signing keys the ones it signs with? */
import type { Config, QStashConfig } from '../../config.ts';
import type { Schedules } from '../../data/schedules.ts';
import { readSigningKeys, type SigningKeys } from '../../data/signing-keys.ts';
import { type Schedule, TICK_SCHEDULE } from '../../domain/schedule.ts';
import { workersFor } from '../../domain/schedule-plan.ts';
import { type NeededSchedule, neededSchedules } from '../../domain/schedule-standing.ts';
import { type Check, clockOf, type GroupResult, notConfigured, probe } from './check.ts';

/** An HTTP `Date` is cut to the second. */
const HTTP_DATE_MS = 1_000;

export async function checkQstash(
  config: Config,
  schedules: Schedules | null,
  signal: AbortSignal,
): Promise<GroupResult> {
  const { qstash } = config;
  if (qstash === null || schedules === null) return { checks: [notConfigured('QSTASH_TOKEN')] };
  const target = { token: qstash.token, ...(qstash.url === null ? {} : { url: qstash.url }) };
  const [listed, keys] = await Promise.all([
    probe('reachable', () => schedules.read(signal)),
    probe('signing keys', () => readSigningKeys(target, signal)),
  ]);
  if ('failed' in listed) return { checks: [listed.failed] };
  const checks: Check[] = [
    { name: 'reachable', state: 'ok', detail: 'answers, and takes our token', latencyMs: listed.latencyMs },
    ...neededSchedules(listed.value.schedules).map((needed) =>
      checkSchedule(needed, listed.value.schedules, config.worker.baseUrl),
    ),
    'failed' in keys ? keys.failed : checkKeys(qstash, keys.value),
  ];
  const at = 'failed' in keys ? null : keys.value.serverAtEpochMs;
  return { checks, clocks: at === null || 'failed' in keys ? [] : [clockOf('QStash', at, keys, HTTP_DATE_MS)] };
}

export function checkSchedule(expected: NeededSchedule, schedules: readonly Schedule[], baseUrl: string | null): Check {
  const name = expected.id;
  const found = schedules.find(({ id }) => id === expected.id);
  const sync = `email-ops schedules sync${expected.id === TICK_SCHEDULE.id ? ' --one-tick' : ''}`;
  // Without the processor nothing is sent; the others are missed less, and may run elsewhere.
  const missing = workersFor({ id: expected.id, destination: expected.path }).includes('queue-processor')
    ? 'failed'
    : 'warning';
  if (found === undefined) return { name, state: missing, detail: 'there is no such schedule', remedy: sync };
  if (found.isPaused) return { name, state: 'warning', detail: 'paused', remedy: 'email-ops schedules resume' };
  if (found.cron !== expected.cron)
    return { name, state: 'warning', detail: `runs at ${found.cron}, expected ${expected.cron}`, remedy: sync };
  if (baseUrl !== null && found.destination !== baseUrl + expected.path)
    return {
      name,
      state: 'warning',
      detail: `calls ${found.destination}, not ${baseUrl}${expected.path}`,
      remedy: sync,
    };
  if (found.lastState === 'fail')
    return { name, state: 'warning', detail: 'the last delivery failed', remedy: 'Look at the logs of the endpoint.' };
  return { name, state: 'ok', detail: found.cron };
}

export function checkKeys({ currentSigningKey, nextSigningKey }: QStashConfig, keys: SigningKeys): Check {
  const name = 'signing keys';
  const remedy = 'Copy both from the Upstash console, QStash, Signing Keys, and deploy again.';
  if (currentSigningKey === null)
    return { name, state: 'warning', detail: 'not set: `serve` and the deployed endpoints need them', remedy };
  if (currentSigningKey === keys.current && nextSigningKey === keys.next)
    return { name, state: 'ok', detail: 'the ones QStash signs with' };
  if (nextSigningKey === keys.current)
    return { name, state: 'warning', detail: 'rotated since: the next rotation would refuse every delivery', remedy };
  if (currentSigningKey === keys.current)
    return { name, state: 'warning', detail: 'the next key is not the one QStash will use', remedy };
  return { name, state: 'failed', detail: 'not the ones QStash signs with: every delivery is refused', remedy };
}
