/** How much of each provider's day and month is used. Counts are the outbox's; days and months are UTC. */
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import type { ProviderQuota } from '../../domain/quota.ts';
import { type Clock, utcDay } from '../../domain/time.ts';
import type { Controls } from './controls.ts';
import type { Outbox } from './outbox.ts';

export interface Quotas {
  use(provider: Provider): ProviderQuota;
  all(): readonly ProviderQuota[];
  /** Holds one email of the quota while it is being sent, so that sends side by side cannot overrun the limit. */
  reserve(provider: Provider): Reservation;
}

export type Reservation =
  | { readonly granted: true; readonly release: () => void }
  | { readonly granted: false; readonly exhausted: 'daily' | 'monthly'; readonly use: ProviderQuota };

export function createQuotas(outbox: Outbox, controls: Controls, clock: Clock): Quotas {
  const inFlight = new Map<Provider, number>();

  const use = (provider: Provider): ProviderQuota => {
    const day = utcDay(clock.nowEpochMs());
    const control = controls.get(provider);
    return {
      provider,
      day: { sent: outbox.deliveredIn(provider, day), limit: control.dailyLimit },
      month: { sent: outbox.deliveredIn(provider, day.slice(0, 7)), limit: control.monthlyLimit },
    };
  };

  return {
    use,
    all: () => PROVIDERS.map(use),
    reserve: (provider) => {
      const current = use(provider);
      const held = inFlight.get(provider) ?? 0;
      if (current.month.sent + held >= current.month.limit) {
        return { granted: false, exhausted: 'monthly', use: current };
      }
      if (current.day.sent + held >= current.day.limit) return { granted: false, exhausted: 'daily', use: current };
      inFlight.set(provider, held + 1);
      return { granted: true, release: () => inFlight.set(provider, (inFlight.get(provider) ?? 1) - 1) };
    },
  };
}
