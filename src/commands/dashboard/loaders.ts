/** What the views of the dashboard read beyond the snapshot, one handler a kind, where it is configured. */
import { createAudit } from '../../data/audit.ts';
import { createRuns } from '../../data/runs.ts';
import { createScheduleLog } from '../../data/schedule-log.ts';
import type { Loaders } from '../../ui/loaders.ts';
import type { Systems } from '../connect.ts';

export function dashboardLoaders(systems: Systems): Loaders {
  return { ...redisLoaders(systems), ...qstashLoaders(systems) };
}

function redisLoaders({ redis }: Systems): Loaders {
  if (redis === null) return {};
  return {
    audit: ({ limit }) => createAudit(redis.client).read(limit),
    runs: () => createRuns(redis.client).all(),
  };
}

function qstashLoaders({ config }: Systems): Loaders {
  if (config.qstash === null) return {};
  const log = createScheduleLog(config.qstash);
  return {
    deliveries: ({ scheduleId }, signal) => log.deliveries(scheduleId, signal),
    'dead-deliveries': ({ cursor }, signal) => log.deadLetters(cursor, signal),
  };
}
