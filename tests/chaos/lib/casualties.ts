/** What a worker had in hand when it was killed, or put to sleep: only those emails may go out twice, and only where keys are ignored. */
import type { Doubled, Judgement } from './oracle.ts';
import { persist } from './patience.ts';
import type { Timing } from './settings.ts';
import type { World } from './world.ts';

/** Emails that were in flight or not yet written when their worker was killed: those it held and had begun to send. */
export interface Casualty {
  /** How many emails it had in hand, begun or not. */
  readonly held: number;
  /** It is awake again: what it begins from now on it should not. */
  over(): void;
  atRisk(): readonly string[];
}

/** Rows that a process held when it was killed and that went out, or may still: their results are not written. */
export async function unwritten(
  world: World,
  { pid, begunBy }: { pid: number | null; begunBy: (pid: number) => ReadonlySet<string> },
  { leaseSeconds }: Timing,
): Promise<Casualty> {
  if (pid === null) return { held: 0, over: () => undefined, atRisk: () => [] };
  const killedAtMs = performance.now();
  const rows = await persist(
    () => world.sql<{ id: string }[]>`
    select id from email_queue where status = 'processing' and locked_by like ${`%/${pid}/%`}`,
  );
  if (performance.now() - killedAtMs > leaseSeconds * 1_000) throw new Error('What it held could not be noted in time');
  // What it said last may still be on its way to us, so that is asked as late as possible.
  const begun = () => rows.map(({ id }) => id).filter((id) => begunBy(pid).has(id));
  let known: readonly string[] | null = null;
  return {
    held: rows.length,
    over: () => {
      known = begun();
    },
    atRisk: () => known ?? begun(),
  };
}

/** Doubled emails that no hard kill explains: each that had one in flight explains one more send of it. */
export function doublesBeyond(
  { doubled }: Judgement,
  { atRisk, honoursKeys }: { atRisk: readonly string[]; honoursKeys: boolean },
): readonly Doubled[] {
  const strikes = (id: string) => atRisk.filter((each) => each === id).length;
  return doubled.filter(({ id, sends }) => honoursKeys || sends > 1 + strikes(id));
}
