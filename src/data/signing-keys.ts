/** The signing keys that QStash uses now. The SDK has no method for them; the REST API has. */
import { z } from 'zod';
import { FaultError, faultOfStatus, faultOfThrown, SYSTEM, unreadable } from './fault.ts';
import { jsonOrUndefined } from './parse.ts';
import type { QStashTarget } from './schedules.ts';

export interface SigningKeys {
  readonly current: string;
  readonly next: string;
  /** QStash's clock, from the `Date` of its answer, to the second; null where the answer has none. */
  readonly serverAtEpochMs: number | null;
}

const PUBLIC_QSTASH = 'https://qstash.upstash.io';
const Answer = z.object({ current: z.string().min(1), next: z.string().min(1) });

/** One request. Throws `FaultError`. */
export async function readSigningKeys(target: QStashTarget, signal?: AbortSignal): Promise<SigningKeys> {
  const timeoutMs = target.timeoutMs ?? 5_000;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${target.url ?? PUBLIC_QSTASH}/v2/keys`, {
      headers: { authorization: `Bearer ${target.token}` },
      redirect: 'manual',
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
    const parsed = Answer.safeParse(jsonOrUndefined(await response.text()));
    if (!response.ok) throw new FaultError(faultOfStatus(SYSTEM.qstash, response.status));
    if (!parsed.success) throw new FaultError(unreadable(SYSTEM.qstash, 'no signing keys'));
    const serverAtEpochMs = Date.parse(response.headers.get('date') ?? '');
    return { ...parsed.data, serverAtEpochMs: Number.isNaN(serverAtEpochMs) ? null : serverAtEpochMs };
  } catch (error) {
    throw new FaultError(faultOfThrown(SYSTEM.qstash, error, timeoutMs), { cause: error });
  }
}
