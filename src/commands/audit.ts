/** Writing down who did what from a command (DESIGN §7). It is done already: a list that cannot be written is said, and no error. */
import { createAudit } from '../data/audit.ts';
import type { Invocation } from './command.ts';
import type { Systems } from './connect.ts';
import { operatorOf } from './operator.ts';

/** Never rejects. Without Redis there is no list. */
export type WriteAudit = (action: string, target: string, outcome?: string) => Promise<void>;

export function auditOf(
  { redis, clock }: Systems,
  { io, environment }: Pick<Invocation, 'io' | 'environment'>,
): WriteAudit {
  return async (action, target, outcome = 'ok') => {
    if (redis === null) return;
    const { name: by, host } = operatorOf(environment);
    await createAudit(redis.client)
      .append({ atEpochMs: clock.nowEpochMs(), by, host, action, target, outcome })
      .catch(() => io.stderr.write('email-ops: the audit list could not be written; it was done all the same.\n'));
  };
}
