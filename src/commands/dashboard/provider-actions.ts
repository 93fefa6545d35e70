/** What the Providers view does: reset a circuit, disable a provider until a time, enable it again. All audited. */
import { createProviderGateway } from '../../data/providers.ts';
import { formatInstant } from '../../domain/format.ts';
import { cleanText } from '../../domain/text.ts';
import type { Actions } from '../../ui/actions.ts';
import type { Systems } from '../connect.ts';
import type { Operator } from '../operator.ts';

export interface ProviderActionsOptions {
  readonly systems: Pick<Systems, 'supabase'>;
  readonly operator: Operator;
  /** Writes the audit list; answers what is to be added to the outcome, empty where all went well. */
  readonly audit: (action: string, target: string, outcome?: string) => Promise<string>;
}

export function providerActions({ systems, operator, audit }: ProviderActionsOptions): Actions {
  if (systems.supabase === null) return {};
  const gateway = createProviderGateway(systems.supabase.client);
  return {
    'reset-circuit': async ({ provider }, { signal }) => {
      await gateway.resetCircuit(provider, signal);
      const missing = await audit('reset circuit', provider);
      return { level: 'ok', text: `${provider}: circuit closed, failures forgotten; h checks it anew${missing}` };
    },
    'disable-provider': async ({ provider, untilEpochMs, reason }, { signal }) => {
      const why = cleanText(reason, 200);
      await gateway.disableUntil(
        provider,
        { untilEpochMs, by: `${operator.name}@${operator.host}`, reason: why },
        signal,
      );
      const until = formatInstant(untilEpochMs);
      const missing = await audit('disable provider', `${provider} until ${until}${why === '' ? '' : `: ${why}`}`);
      return { level: 'ok', text: `${provider} is disabled until ${until}: nothing goes through it${missing}` };
    },
    'enable-provider': async ({ provider }, { signal }) => {
      const was = await gateway.enable(provider, signal);
      const missing = await audit('enable provider', provider, was ? 'ok' : 'It was not disabled any more.');
      return { level: 'ok', text: `${provider} ${was ? 'is enabled again' : 'was not disabled any more'}${missing}` };
    },
  };
}
