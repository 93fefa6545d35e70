/**
 * Carries an experiment out in a free world. One that the harness or the machine spoiled says nothing about the system, so it is
 * repeated, and told; one in which something was lost, doubled or wrong never is.
 */
import type { Experiment, Outcome } from './experiment.ts';
import { runExperiment } from './run-experiment.ts';
import type { WorldPool } from './world-pool.ts';

export interface CarriedOut extends Outcome {
  /** Why earlier tries were no experiments, in a sentence each. */
  readonly spoiled: readonly string[];
}

const TRIES = 3;

/** Throws when every try was spoiled. */
export async function carryOut(worlds: WorldPool, experiment: Experiment): Promise<CarriedOut> {
  const spoiled: string[] = [];
  for (;;) {
    try {
      return { ...(await worlds.use((world) => runExperiment(world, experiment))), spoiled };
    } catch (cause) {
      spoiled.push(cause instanceof Error ? cause.message : String(cause));
      if (spoiled.length < TRIES) continue;
      throw new Error(
        `${experiment.name} could not be carried out, which is the harness' fault: ${spoiled.join('; ')}`,
        { cause },
      );
    }
  }
}
