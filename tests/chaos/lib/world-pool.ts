/** A few worlds, started when first needed and used again: experiments wait more than they compute. */
import { startWorld, type World } from './world.ts';

export interface WorldPool {
  /** Waits for a free world. One in which the work failed is not used again. */
  use<T>(work: (world: World) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export function createWorldPool(size: number): WorldPool {
  const free: World[] = [];
  const started = new Set<World>();
  const waiting: (() => void)[] = [];
  let inUse = 0;

  const take = async (): Promise<World> => {
    while (inUse >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    inUse += 1;
    const known = free.pop();
    if (known !== undefined) return known;
    const world = await startWorld().catch((error: unknown) => {
      giveUp();
      throw error;
    });
    started.add(world);
    return world;
  };
  const giveUp = () => {
    inUse -= 1;
    waiting.shift()?.();
  };

  return {
    use: async (work) => {
      const world = await take();
      try {
        const result = await work(world);
        free.push(world);
        return result;
      } catch (error) {
        started.delete(world);
        // What broke it may stand in the way of stopping, too; the first error is the one that tells.
        await world.stop().catch(() => undefined);
        throw error;
      } finally {
        giveUp();
      }
    },
    stop: async () => {
      await Promise.all([...started].map((world) => world.stop()));
    },
  };
}
