/** Every network action on the way to every system, for all or for one worker. */
import type { Fault } from './experiment.ts';
import { NETWORK_FAULTS, type NetworkFault } from './network-actions.ts';
import { SYSTEMS, type System } from './world.ts';

const NAME: Readonly<Record<System, string>> = { redis: 'Redis', postgres: 'Postgres', email: 'the email function' };
/** What the console reads itself, it has to name. */
const CONSOLE: Partial<Record<System, RegExp>> = { redis: /redis|lock/i, postgres: /postgres|queue/i };
/** These leave every answer as it should be. */
const HARMLESS: readonly NetworkFault[] = ['duplicated, one after the other', 'duplicated at once'];
/** Later than the workers wait, but not than the console does. */
const IN_TIME_FOR_THE_CONSOLE: readonly NetworkFault[] = ['late request', 'late answer'];
const ONLY_EMAIL: readonly NetworkFault[] = ['failure told after the effect'];

export const NETWORK_FAULT_TABLE: readonly Fault[] = SYSTEMS.flatMap((system) =>
  NETWORK_FAULTS.filter((action) => system === 'email' || !ONLY_EMAIL.includes(action)).map((action): Fault => {
    const isFelt = !HARMLESS.includes(action) && !(system === 'postgres' && IN_TIME_FOR_THE_CONSOLE.includes(action));
    const words = isFelt ? CONSOLE[system] : undefined;
    return {
      name: `${NAME[system]}: ${action}`,
      ...(words === undefined ? {} : { console: words }),
      restsProviders: system === 'email',
      begin: async ({ world }) => {
        await world.proxies[system].inject(action);
        return () => world.proxies[system].clear();
      },
    };
  }),
);

/** The same for some requests only, or for one worker: those who still get through meet those who don't. */
export const PARTIAL_NETWORK_FAULTS: readonly Fault[] = SYSTEMS.flatMap((system) =>
  NETWORK_FAULTS.filter(
    (action) => action !== 'refused' && (system === 'email' || !ONLY_EMAIL.includes(action)),
  ).flatMap((action): Fault[] => [
    {
      name: `${NAME[system]}: ${action}, 3 in 10 requests`,
      restsProviders: system === 'email',
      begin: async ({ world }) => {
        await world.proxies[system].inject(action, { rate: 0.3 });
        return () => world.proxies[system].clear();
      },
    },
    {
      name: `${NAME[system]}: ${action}, for one worker`,
      restsProviders: system === 'email',
      begin: async ({ world, victim }) => {
        await world.proxies[system].inject(action, { caller: victim() });
        return () => world.proxies[system].clear();
      },
    },
  ]),
);
