/** The email function as it is deployed: made from its environment, remembering in Postgres. Runs on Deno and on Node. */
import { connectSupabase } from '../data/supabase.ts';
import { systemClock } from '../domain/time.ts';
import { createHandler, type Handler } from './handler.ts';
import { createQueueProcessing } from './process-queue.ts';
import { acceptedKeys, createProviders, type Environment, type ProviderTools } from './settings.ts';
import { createSupabaseStore } from './supabase-store.ts';

export const FUNCTION_VERSION = 'email-ops-1';

export interface DeployedOptions extends ProviderTools {
  readonly read: Environment;
  /** One line a call: the platform keeps them. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** @throws Error when the environment lacks what the platform should have given. */
export function createDeployedFunction(options: DeployedOptions): Handler {
  const { read, log, clock = systemClock } = options;
  const url = read('SUPABASE_URL') ?? '';
  const keys = acceptedKeys(read);
  const [serviceRoleKey] = keys;
  if (url === '' || serviceRoleKey === undefined) {
    throw new Error('SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEYS must be set.');
  }
  const supabase = connectSupabase({ url, serviceRoleKey });
  const handler: Handler = createHandler({
    store: createSupabaseStore(supabase.client),
    providers: createProviders(read, options),
    keys,
    clock,
    version: FUNCTION_VERSION,
    log,
    processQueue: createQueueProcessing({
      handler: (request) => handler(request),
      key: serviceRoleKey,
      clock,
      log,
      read,
      supabase,
    }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return handler;
}
