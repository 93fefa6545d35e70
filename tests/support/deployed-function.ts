/** The email function as it is deployed, on real Postgres behind Supabase's REST API, with the four providers' stubs. */
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { createDeployedFunction } from '../../src/email-function/deployed.ts';
import type { Handler } from '../../src/email-function/handler.ts';
import { applyMigrations, type PostgresCluster, type Sql, startPostgres } from './postgres.ts';
import { type ProviderStub, startProviderStub } from './provider-stubs.ts';
import { type RestServer, serveRest } from './rest.ts';

export interface Deployment {
  readonly sql: Sql;
  readonly rest: RestServer;
  readonly stubs: Readonly<Record<Provider, ProviderStub>>;
  readonly log: readonly string[];
  /** A further instance of the function, as the platform starts them. */
  instance(environment?: Readonly<Record<string, string | undefined>>): Handler;
  /** Posts to an instance as an authorised caller. */
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire has no type here
  call(handler: Handler, body: unknown): Promise<{ status: number; body: any; headers: Headers }>;
  /** Forgets everything the function keeps. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startDeployment(): Promise<Deployment> {
  const postgres: PostgresCluster = await startPostgres();
  await applyMigrations(postgres.sql);
  const rest = await serveRest(postgres.url);
  const stubs = Object.fromEntries(
    await Promise.all(PROVIDERS.map(async (name) => [name, await startProviderStub(name)] as const)),
  ) as Record<Provider, ProviderStub>;
  const log: string[] = [];
  const { sql } = postgres;
  return {
    sql,
    rest,
    stubs,
    log,
    instance: (changes = {}) => {
      const environment: Record<string, string | undefined> = {
        SUPABASE_URL: rest.url,
        SUPABASE_SERVICE_ROLE_KEY: rest.key,
        ...Object.assign({}, ...Object.values(stubs).map((stub) => stub.environment)),
        ...changes,
      };
      return createDeployedFunction({ read: (name) => environment[name], log: (line) => log.push(line) });
    },
    call: async (handler, body) => {
      const response = await handler(
        new Request('http://127.0.0.1:1/functions/v1/email', {
          method: 'POST',
          headers: { apikey: rest.key },
          body: JSON.stringify(body),
        }),
      );
      return { status: response.status, body: await response.json(), headers: response.headers };
    },
    reset: async () => {
      for (const table of [
        'email_idempotency',
        'email_circuit_breaker_state',
        'email_provider_health_metrics',
        'email_provider_control',
        'email_provider_checks',
        'email_function_alerts',
        'email_provider_quota',
      ]) {
        await sql.unsafe(`delete from ${table}`);
      }
    },
    stop: async () => {
      await Promise.all(Object.values(stubs).map((stub) => stub[Symbol.asyncDispose]()));
      await rest.stop();
      await postgres.stop();
    },
  };
}
