/** An email function that only reports health, as WIRE.md shapes it, at once and as the test wants it. */
import { createEmailFunction, type EmailFunction } from '../../src/data/email-function.ts';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { type Served, serve } from './serve.ts';

export interface HealthFunction {
  readonly client: EmailFunction;
  /** What the next checks answer; an error is answered as HTTP 500. */
  answer: { readonly alerts?: readonly string[]; readonly down?: readonly Provider[]; readonly error?: string };
  /** Counts that a provider itself reports. Others repeat nothing sent, from the database. */
  reports: Partial<Record<Provider, { readonly day: number; readonly month: number }>>;
  /** Bodies of the requests so far. */
  readonly requests: readonly unknown[];
  stop(): Promise<void>;
}

export async function startHealthFunction(): Promise<HealthFunction> {
  const requests: unknown[] = [];
  const served: Served = await serve(async (request) => {
    requests.push(await request.json());
    const { error } = health.answer;
    return error === undefined ? Response.json(report(health)) : Response.json({ error }, { status: 500 });
  });
  const health: HealthFunction = {
    client: createEmailFunction({ url: served.url, serviceRoleKey: 'key' }),
    answer: {},
    reports: {},
    requests,
    stop: served.stop,
  };
  return health;
}

function report({ answer, reports }: HealthFunction) {
  const down = answer.down ?? [];
  const use = (sent: number, limit: number) => ({
    sent,
    limit,
    remaining: limit - sent,
    percentUsed: (sent / limit) * 100,
  });
  const healthy = PROVIDERS.filter((provider) => !down.includes(provider));
  return {
    success: true,
    timestamp: new Date().toISOString(),
    providers: PROVIDERS.map((provider) => ({
      provider,
      status: down.includes(provider) ? 'error' : 'ok',
      healthScore: down.includes(provider) ? 0 : 100,
      latencyMs: 100,
      message: '',
      configured: true,
      lastChecked: new Date().toISOString(),
    })),
    quotas: PROVIDERS.map((provider) => ({
      provider,
      daily: use(reports[provider]?.day ?? 0, 100),
      monthly: use(reports[provider]?.month ?? 0, 3_000),
      source: reports[provider] === undefined ? 'database' : 'api',
    })),
    summary: {
      totalProviders: PROVIDERS.length,
      healthyProviders: healthy.length,
      configuredProviders: PROVIDERS.length,
      daily: { totalSent: 0, totalLimit: 400, totalRemaining: 400, percentUsed: 0 },
      monthly: { totalSent: 0, totalLimit: 12_000, totalRemaining: 12_000, percentUsed: 0 },
      bestProvider: healthy[0] ?? null,
    },
    healthMetrics: [],
    alerts: answer.alerts ?? [],
    snapshotsTaken: 4,
    durationMs: 12,
    // A field of tomorrow: it is kept, because the report is stored as it came.
    novelty: 'kept',
  };
}
