/** The simulated weather: how each provider behaves now. Set by scenarios and tests, forgotten when the sandbox stops. */
import { z } from 'zod';
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { KNOWN_LIMITS } from '../../domain/quota.ts';
import { PROFILES } from './profiles.ts';

/**
 * - `ok`: latency and failures as set
 * - `flaky`: three in ten sends fail, if no `failureRate` is given with it
 * - `slow`: ten times the latency
 * - `outage`: every send is refused at once
 * - `hang`: no send is made and no answer comes until the caller gives up or the function's own limit ends it
 * - `mute`: the send is made, but its answer is lost in the same way
 */
export const PROVIDER_MODES = ['ok', 'flaky', 'slow', 'outage', 'hang', 'mute'] as const;
const FLAKY_FAILURE_RATE = 0.3;
export type ProviderMode = (typeof PROVIDER_MODES)[number];

export interface ProviderControl {
  readonly mode: ProviderMode;
  /** Share of sends that fail for no fault of the email, 0–1. */
  readonly failureRate: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly dailyLimit: number;
  readonly monthlyLimit: number;
  /** Sends a second beyond which the provider answers 429; null: no limit. */
  readonly ratePerSecond: number | null;
  /** False: as if the deployed function had no API key for it. */
  readonly configured: boolean;
}

/** What may be changed of a control, as `POST …/providers/<name>` accepts it. */
export const controlChangeSchema = z
  .strictObject({
    mode: z.enum(PROVIDER_MODES),
    failureRate: z.number().min(0).max(1),
    medianMs: z.number().min(0).max(600_000),
    p99Ms: z.number().min(0).max(600_000),
    dailyLimit: z.int().min(0),
    monthlyLimit: z.int().min(0),
    ratePerSecond: z.number().positive().nullable(),
    configured: z.boolean(),
  })
  .partial();

export type ControlChange = { readonly [K in keyof ProviderControl]?: ProviderControl[K] | undefined };

export interface Controls {
  get(provider: Provider): ProviderControl;
  all(): Readonly<Record<Provider, ProviderControl>>;
  /**
   * Changes only what is named, but a new mode without a `failureRate` begins with the ordinary one of that mode. A
   * `medianMs` above the present `p99Ms` raises that too.
   */
  set(provider: Provider, change: ControlChange): ProviderControl;
  /** Back to an ordinary day; without a name, all of them. */
  reset(provider?: Provider): void;
}

export function createControls(initial: Partial<Record<Provider, ControlChange>> = {}): Controls {
  const ordinary = (provider: Provider) => merge(ordinaryControl(provider), initial[provider] ?? {});
  const ordinaryRate = (provider: Provider, mode: ProviderMode) =>
    mode === 'flaky' ? FLAKY_FAILURE_RATE : ordinary(provider).failureRate;
  const current = Object.fromEntries(PROVIDERS.map((name) => [name, ordinary(name)])) as Record<
    Provider,
    ProviderControl
  >;
  return {
    get: (provider) => current[provider],
    all: () => ({ ...current }),
    set: (provider, change) => {
      const { mode, failureRate } = change;
      const rate = mode === undefined || failureRate !== undefined ? {} : { failureRate: ordinaryRate(provider, mode) };
      current[provider] = merge(current[provider], { ...change, ...rate });
      return current[provider];
    },
    reset: (provider) => {
      for (const name of provider === undefined ? PROVIDERS : [provider]) current[name] = ordinary(name);
    },
  };
}

function ordinaryControl(provider: Provider): ProviderControl {
  const { medianMs, p99Ms, failureRate } = PROFILES[provider];
  const { daily, monthly } = KNOWN_LIMITS[provider];
  return {
    mode: 'ok',
    failureRate,
    medianMs,
    p99Ms,
    dailyLimit: daily,
    monthlyLimit: monthly,
    ratePerSecond: null,
    configured: true,
  };
}

function merge(control: ProviderControl, change: ControlChange): ProviderControl {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const merged: ProviderControl = { ...control, ...given };
  return { ...merged, p99Ms: Math.max(merged.medianMs, merged.p99Ms) };
}
