/** Repeatable randomness: the same seed gives the same numbers on every machine. Not for secrets. */
import { createHash } from 'node:crypto';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A log-normal draw with the given median and 99th percentile, in their unit. Equal ones give the constant. */
  logNormal(median: number, p99: number): number;
}

/** The 99th percentile of the standard normal distribution. */
const NORMAL_P99 = 2.326_347_874;

/** A stream of its own for each seed: `seededRandom('7/resend/12')` does not depend on what other streams have drawn. */
export function seededRandom(seed: string): Random {
  const next = sfc32(seed);
  return {
    next,
    logNormal: (median, p99) => {
      if (median <= 0 || p99 <= median) return Math.max(0, median);
      return median * Math.exp((Math.log(p99 / median) / NORMAL_P99) * standardNormal(next));
    },
  };
}

/** The small fast counter generator: 128 bits of state, filled from a hash so that similar seeds have nothing in common. */
function sfc32(seed: string): () => number {
  const state = createHash('sha256').update(seed).digest();
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => state.readUInt32LE(at)) as [number, number, number, number];
  return () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
}

/** Box–Muller. `1 - next()` keeps the logarithm away from zero. */
function standardNormal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}
