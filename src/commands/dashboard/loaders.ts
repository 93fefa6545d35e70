/** What the views of the dashboard read beyond the snapshot, one handler a kind, where it is configured. */
import { createAudit } from '../../data/audit.ts';
import { createProviderDetails } from '../../data/provider-details.ts';
import { createProviderHistory } from '../../data/provider-history.ts';
import { createProviderGateway } from '../../data/providers.ts';
import { createQueueFinder } from '../../data/queue-finder.ts';
import { createQueueList } from '../../data/queue-list.ts';
import { createRuns } from '../../data/runs.ts';
import { createScheduleLog } from '../../data/schedule-log.ts';
import { isMissingSchema } from '../../data/supabase.ts';
import { htmlToLines } from '../../domain/html-text.ts';
import type { Loaders } from '../../ui/loaders.ts';
import type { Systems } from '../connect.ts';

export function dashboardLoaders(systems: Systems): Loaders {
  return {
    ...redisLoaders(systems),
    ...queueLoaders(systems),
    ...providerLoaders(systems),
    ...qstashLoaders(systems),
  };
}

function redisLoaders({ redis }: Systems): Loaders {
  if (redis === null) return {};
  return {
    audit: ({ limit }) => createAudit(redis.client).read(limit),
    runs: () => createRuns(redis.client).all(),
  };
}

function queueLoaders({ supabase }: Systems): Loaders {
  if (supabase === null) return {};
  const finder = createQueueFinder(supabase.client);
  const list = createQueueList(supabase.client);
  return {
    'queue-page': (request, signal) => finder.page(request, signal),
    'queue-groups': ({ status }, signal) => finder.groups(status, signal),
    email: async ({ id }, signal) => {
      const story = await list.show(id, signal);
      if (story === null) return null;
      const { html, text } = story.email.content;
      return { story, bodyLines: html === null ? (text ?? '').split(/\r?\n/) : htmlToLines(html) };
    },
  };
}

function providerLoaders({ supabase, clock }: Systems): Loaders {
  if (supabase === null) return {};
  const history = createProviderHistory(supabase.client, clock);
  const details = createProviderDetails(supabase.client, clock);
  const gateway = createProviderGateway(supabase.client);
  return {
    'provider-history': ({ rangeMs }, signal) => history.read(rangeMs, signal),
    'provider-states': (_request, signal) =>
      gateway.read(signal).catch((error: unknown) => {
        if (isMissingSchema(error)) return [];
        throw error;
      }),
    'provider-details': ({ provider }, signal) => details.read(provider, signal),
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
