/** What befalls the email providers, and emails that no provider or process survives. */
import { PROVIDERS, type Provider } from '../../../src/domain/email.ts';
import { HOUR_MS } from '../../../src/domain/time.ts';
import type { ControlChange } from '../../../src/sandbox/email-function/controls.ts';
import type { EmailFunction } from '../../../src/sandbox/email-function/function.ts';
import type { Fault, Field } from './experiment.ts';

const FAULTS: readonly Fault[] = [
  { name: 'providers fail 30 %', begin: (field) => weather(field, PROVIDERS, { mode: 'flaky' }) },
  { name: 'one provider hangs', begin: (field) => weather(field, one(field), { mode: 'hang' }) },
  { name: 'every provider hangs', begin: (field) => weather(field, PROVIDERS, { mode: 'hang' }) },
  {
    name: 'one provider accepts and its answer is lost',
    begin: (field) => weather(field, one(field), { mode: 'mute' }),
  },
  {
    name: 'every provider accepts and the answers are lost',
    begin: (field) => weather(field, PROVIDERS, { mode: 'mute' }),
  },
  { name: 'one provider is down', begin: (field) => weather(field, one(field), { mode: 'outage' }) },
  { name: 'one provider is slow', begin: (field) => weather(field, one(field), { mode: 'slow' }) },
  { name: 'providers limit the rate', begin: (field) => weather(field, PROVIDERS, { ratePerSecond: 20 }) },
  {
    name: 'every provider down for an hour',
    begin: async (field) => {
      const end = await weather(field, PROVIDERS, { mode: 'outage' });
      return async () => {
        await field.world.skip(HOUR_MS);
        await end();
      };
    },
  },
  {
    name: 'one quota gone in the middle of a batch',
    begin: (field) => weather(field, one(field), { dailyLimit: 1 }),
  },
  {
    name: 'every quota gone in the middle of a batch',
    begin: (field) => weather(field, PROVIDERS, { dailyLimit: 1 }),
  },
  {
    name: 'poison emails kill every process that touches them',
    needs: { load: { poison: 2, maxAttempts: 3 } },
    begin: async () => async () => undefined,
  },
  {
    name: 'addresses that every provider refuses',
    needs: { load: { bouncing: 10 } },
    begin: async () => async () => undefined,
  },
];

export const PROVIDER_FAULTS: readonly Fault[] = FAULTS.map((fault) => ({ ...fault, restsProviders: true }));

interface Front {
  readonly providers: readonly Provider[];
  readonly change: ControlChange;
}

/** What is over each function's providers at this moment: several faults may be, and each ends for itself. */
const fronts = new WeakMap<EmailFunction, Set<Front>>();

/** Changes these providers until the answer is called. */
async function weather({ world }: Field, providers: readonly Provider[], change: ControlChange) {
  const emailFunction = world.emailFunction();
  const over = fronts.get(emailFunction) ?? new Set();
  fronts.set(emailFunction, over);
  const front = { providers, change };
  const apply = () => {
    emailFunction.providers.reset();
    for (const each of over) for (const provider of each.providers) emailFunction.providers.set(provider, each.change);
  };
  over.add(front);
  apply();
  return async () => {
    over.delete(front);
    apply();
  };
}

function one({ random }: Field): readonly Provider[] {
  const provider = PROVIDERS[Math.floor(random.next() * PROVIDERS.length)];
  return provider === undefined ? [] : [provider];
}
