/** Which providers an operator took out, read now and then while a run sends. A database without our migration knows of none. */
import type { ProviderGateway } from '../data/providers.ts';
import { isMissingSchema } from '../data/supabase.ts';
import type { Provider } from '../domain/email.ts';
import { disabledUntilEpochMs, type ProviderState } from '../domain/provider-state.ts';
import { type Clock, SECOND_MS } from '../domain/time.ts';

/** How soon a run notices; the email function itself refuses at once. */
const GOOD_FOR_MS = 10 * SECOND_MS;

export interface DisabledProviders {
  /** Reads them again if it is time. Never rejects: then the run goes on with what it knows. */
  refresh(): Promise<void>;
  /** Epoch ms; 0 where it may be used. */
  until(provider: Provider): number;
}

export function createDisabledProviders(options: {
  readonly gateway: Pick<ProviderGateway, 'read'>;
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
}): DisabledProviders {
  const { gateway, clock } = options;
  let states: readonly ProviderState[] = [];
  let readAtEpochMs = Number.NEGATIVE_INFINITY;
  return {
    refresh: async () => {
      const now = clock.nowEpochMs();
      if (now - readAtEpochMs < GOOD_FOR_MS) return;
      readAtEpochMs = now;
      try {
        states = await gateway.read();
      } catch (error) {
        if (!isMissingSchema(error)) options.onFailed(error);
      }
    },
    until: (provider) => {
      const state = states.find((each) => each.provider === provider);
      return state === undefined ? 0 : (disabledUntilEpochMs(state, clock.nowEpochMs()) ?? 0);
    },
  };
}
