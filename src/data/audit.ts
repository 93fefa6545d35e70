/** The audit list: every operator action that changes something is written here (DESIGN §7). */
import type { Redis } from '@upstash/redis';
import { z } from 'zod';
import type { AuditEntry, AuditTrail } from '../domain/audit.ts';
import { KEY } from './keys.ts';
import { epochMs, parseEachJson } from './parse.ts';

/** The list is trimmed to as many (WIRE.md). */
export const MAX_AUDIT_ENTRIES = 500;

export interface Audit {
  /** In one round trip. Throws `RedisError`. */
  append(entry: AuditEntry): Promise<void>;
  /** The newest `limit` entries. Throws `RedisError`. */
  read(limit?: number): Promise<AuditTrail>;
}

export function createAudit(client: Redis): Audit {
  return {
    append: async ({ atEpochMs, ...entry }) => {
      const value = JSON.stringify({ at: new Date(atEpochMs).toISOString(), ...entry });
      await client
        .pipeline()
        .lpush(KEY.audit, value)
        .ltrim(KEY.audit, 0, MAX_AUDIT_ENTRIES - 1)
        .exec();
    },
    read: async (limit = 50) => {
      const { values, skipped } = parseEachJson(Entry, await client.lrange(KEY.audit, 0, Math.max(1, limit) - 1));
      return { entries: values, skipped };
    },
  };
}

const Entry = z
  .object({
    at: epochMs,
    by: z.string(),
    host: z.string().catch('unknown'),
    action: z.string(),
    target: z.string().catch(''),
    outcome: z.string().catch(''),
  })
  .transform(({ at, ...entry }) => ({ atEpochMs: at, ...entry }));
