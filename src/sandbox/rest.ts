/** The REST API of Supabase (`/rest/v1/*`) over a database connection of `@supabase/lite`, open to one secret key. */
import { randomBytes } from 'node:crypto';
import { App, type Connection } from '@supabase/lite';
import { restoreWarnings } from './own-warnings.ts';

restoreWarnings();

/** Answers one request of supabase-js. */
export type RestHandler = (request: Request) => Promise<Response>;

/**
 * Serves the `public` schema as it stands at the first request; the schema is read once. Requests carry `secretKey` in their
 * `apikey` header and act as `service_role`; without a valid key they are answered 401.
 */
export function createRest(connection: Connection, secretKey: string): RestHandler {
  const app = new App({
    connection,
    auth: {
      enabled: false,
      secret_key: secretKey,
      // Nobody is given it, but without one every request without a key would pass.
      publishable_key: `sb_publishable_${randomBytes(24).toString('base64url')}`,
    },
  });
  return async (request) => app.fetch(request);
}
