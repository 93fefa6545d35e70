/** Supabase's REST API over a real PostgreSQL with many connections, for tests that need supabase-js and concurrency. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { createRest } from '../../src/sandbox/rest.ts';

/** `@supabase/lite` hands JSON over as text already; encoded once more it would arrive as a JSON string. */
const encodedJson = (oid: number) => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
});

export interface RestServer extends AsyncDisposable {
  /** To be passed to `createClient` with `key`. */
  readonly url: string;
  /** A secret key: requests act as `service_role`. */
  readonly key: string;
  stop(): Promise<void>;
}

/** Serves a database, which is migrated already, on `port` of the loopback, a free one unless told. `connections` is the most it opens at once. */
export async function serveRest(databaseUrl: string, { connections = 20, port = 0 } = {}): Promise<RestServer> {
  const key = 'sb_secret_for_tests';
  const connection = createPostgresConnection({
    url: databaseUrl,
    postgresOptions: {
      max: connections,
      onnotice: () => undefined,
      types: { json: encodedJson(114), jsonb: encodedJson(3802) },
    },
  });
  const rest = createRest(connection, key);
  // The first request grants the roles their rights. Several first ones at once get into each other's way (HTTP 409).
  await rest(new Request('http://rest.test/rest/v1/email_queue?limit=1', { headers: { apikey: key } }));
  // A client that is killed leaves its request under way, and its connection to the database with it: a pool that is closed
  // meanwhile would wait for that one for ever.
  const underWay = new Set<Promise<Response>>();
  const server = createAdaptorServer({
    fetch: (request) => {
      const answer = rest(request);
      underWay.add(answer);
      return answer.finally(() => underWay.delete(answer));
    },
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
    await Promise.allSettled(underWay);
    await connection.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, stop, [Symbol.asyncDispose]: stop };
}
