/** What a worker had in hand when it was killed, or put to sleep: only those emails may go out twice, and only where keys are ignored. */
import type { Enqueued, Judgement } from './oracle.ts';
import { persist } from './patience.ts';
import type { Timing } from './settings.ts';
import type { World } from './world.ts';

/** Emails that were in flight or not yet written when their worker was killed: those it held and had begun to send. */
export interface Casualty {
  /** It is awake again: what it begins from now on it should not. */
  over(): void;
  atRisk(): readonly string[];
}

/** Rows that a process held when it was killed and that went out, or may still: their results are not written. */
export async function unwritten(world: World, pid: number | null, { leaseSeconds }: Timing): Promise<Casualty> {
  if (pid === null) return { over: () => undefined, atRisk: () => [] };
  const killedAtMs = performance.now();
  const rows = await persist(
    () => world.sql<{ id: string }[]>`
    select id from email_queue where status = 'processing' and locked_by like ${`%/${pid}/%`}`,
  );
  if (performance.now() - killedAtMs > leaseSeconds * 1_000) throw new Error('What it held could not be noted in time');
  // What it had sent may still be on its way to the proxy, so that is asked as late as possible.
  const begun = () => rows.map(({ id }) => id).filter((id) => world.startedBy(pid).has(id));
  let known: readonly string[] | null = null;
  return {
    over: () => {
      known = begun();
    },
    atRisk: () => known ?? begun(),
  };
}

/** Doubled emails that no hard kill explains. */
export function doublesBeyond(
  { doubled }: Judgement,
  { enqueued, atRisk, honoursKeys }: { enqueued: Enqueued; atRisk: ReadonlySet<string>; honoursKeys: boolean },
): readonly { readonly id: string; readonly what: string }[] {
  const idOf = (what: string) => enqueued.idByRecipient.get(what.split(':')[0] ?? '') ?? '';
  return doubled.map((what) => ({ id: idOf(what), what })).filter(({ id }) => honoursKeys || !atRisk.has(id));
}
