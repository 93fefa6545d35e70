/** One experiment in words: a load, workers, and faults at their times; and what came of it. `run-experiment.ts` carries it out. */
import type { ControlChange } from '../../../src/sandbox/email-function/controls.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import type { Casualty } from './casualties.ts';
import type { Fleet } from './fleet.ts';
import type { Judgement } from './oracle.ts';
import type { Deliverer } from './qstash.ts';
import type { Timing } from './settings.ts';
import type { World } from './world.ts';

export interface Load {
  readonly emails: number;
  readonly maxAttempts: number;
  /** How many more kill the process that is about to send them. */
  readonly poison: number;
  /** How many more have an address that every provider refuses. */
  readonly bouncing: number;
}

export interface Experiment {
  readonly name: string;
  readonly seed: string;
  readonly load: Load;
  readonly workers: number;
  /** How many may work at once. */
  readonly slots: number;
  readonly providers: ControlChange;
  readonly dailyLimit: number;
  /** False: as with a function or a provider that ignores idempotency keys. */
  readonly honoursKeys: boolean;
  readonly trigger: 'loop' | 'qstash';
  readonly faults: readonly PlannedFault[];
  readonly timing: Timing;
}

export interface PlannedFault {
  readonly fault: Fault;
  /** After the first email went out. */
  readonly afterMs: number;
  readonly forMs: number;
}

/** Something that breaks and becomes well again. */
export interface Fault {
  readonly name: string;
  /** What the console has to say while it lasts, in its verdict. */
  readonly console?: RegExp;
  /** After it, providers rest for half a minute: that is their circuit, not a lease. */
  readonly restsProviders?: boolean;
  /** Emails that may go out twice where keys are ignored: only a hard kill may do that. */
  readonly mayDouble?: boolean;
  /** It kills workers or puts them to sleep, and means something only where one had emails in hand. */
  readonly strikes?: boolean;
  /** What the experiment has to be like for this fault to mean something. */
  readonly needs?: Partial<Omit<Experiment, 'load' | 'faults'>> & { readonly load?: Partial<Load> };
  /** Begins it; the answer ends it. */
  begin(field: Field, forMs: number): Promise<() => Promise<void>>;
}

/** What a fault may lay hands on. */
export interface Field {
  readonly world: World;
  readonly fleet: Fleet;
  readonly random: Random;
  readonly timing: Timing;
  /** Null where workers run in a loop. */
  readonly deliverer: Deliverer | null;
  /** A worker by chance. */
  victim(): string;
  /** Notes what a worker holds that was killed, or put to sleep until `over` is called. */
  noteKill(worker: string): Promise<Casualty>;
}

export interface Outcome {
  readonly experiment: Experiment;
  readonly judgement: Judgement;
  /** Hard kills, and the emails in flight at them. */
  readonly kills: number;
  readonly inFlightAtKills: number;
  /** Faults that met emails under way. The others came when all was sent, and show nothing. */
  readonly felt: number;
  /** From the end of the last fault until the queue had drained; null when it did not. */
  readonly recoveredMs: number | null;
  readonly tookMs: number;
  /** What must not be: empty is success. */
  readonly violations: readonly string[];
  readonly log: readonly string[];
}
