/** The email function's memory in Postgres, through Supabase's REST API: shared by all instances, each step one call. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { FaultError, SYSTEM, unreadable } from '../data/fault.ts';
import { epochMs } from '../data/parse.ts';
import { createProviderGateway } from '../data/providers.ts';
import { answerOf } from '../data/supabase.ts';
import { isProvider, type Provider } from '../domain/email.ts';
import type { Email } from './provider.ts';
import type { Admission, FunctionStore } from './store.ts';

/** A send that was not reported by then is taken for dead, and its key may be sent again. Longer than any send takes. */
const CLAIM_SECONDS = 30;
/** Postgres answers in milliseconds; a send that waits for it is an email that waits. */
const TIMEOUT_MS = 3_000;

/** All verbs throw `FaultError`. */
export function createSupabaseStore(client: SupabaseClient): FunctionStore {
  const providers = createProviderGateway(client);
  const call = async (name: string, parameters: Record<string, unknown>): Promise<unknown> =>
    (await answerOf(client.rpc(name, parameters), AbortSignal.timeout(TIMEOUT_MS))).data;
  return {
    begin: async (email, { ignoreCircuit }) => {
      const answer = await call('email_function_begin', {
        p_provider: email.provider,
        p_key: email.idempotencyKey ?? null,
        p_fingerprint: await fingerprintOf(email),
        p_claim_seconds: CLAIM_SECONDS,
        p_ignore_circuit: ignoreCircuit,
      });
      const parsed = AdmissionRow.safeParse(answer);
      if (!parsed.success) throw notUnderstood();
      return toAdmission(parsed.data);
    },
    finish: async (email, { claim }, end) => {
      await call('email_function_finish', {
        p_provider: email.provider,
        p_key: email.idempotencyKey ?? null,
        p_claim: claim,
        p_kind: end.kind,
        p_message_id: end.messageId,
        p_error: end.message,
        p_latency_ms: end.latencyMs,
        p_used_up_until: end.usedUpUntilEpochMs === null ? null : new Date(end.usedUpUntilEpochMs).toISOString(),
      });
    },
    providers: () => providers.read(AbortSignal.timeout(TIMEOUT_MS)),
    claimChecks: async (wishes) => providersIn(await call('email_function_claim_checks', { p_wishes: wishes })),
    saveCheck: async (provider, check) => {
      await call('email_function_save_check', { p_provider: provider, p_check: check });
    },
    announce: async (keys) => textsIn(await call('email_function_announce', { p_keys: keys })),
  };
}

/** Of what makes an email the same one. Addresses are not kept, only this. */
async function fingerprintOf({ to, subject }: Email): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${to}\n${subject}`));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function notUnderstood(): FaultError {
  return new FaultError(unreadable(SYSTEM.postgres, 'something that the email function does not understand'));
}

function textsIn(data: unknown): readonly string[] {
  return Array.isArray(data) ? data.filter((each) => typeof each === 'string') : [];
}

function providersIn(data: unknown): readonly Provider[] {
  return textsIn(data).filter(isProvider);
}

const AdmissionRow = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('go'), claim: z.string().nullable() }),
  z.object({ kind: z.literal('sent-before'), provider: z.string(), messageId: z.string().nullable() }),
  z.object({ kind: z.literal('key-reused') }),
  z.object({ kind: z.literal('in-flight') }),
  z.object({ kind: z.literal('circuit-open'), retryAt: epochMs }),
  z.object({ kind: z.literal('disabled'), until: epochMs, by: z.string(), reason: z.string() }),
]);

function toAdmission(row: z.infer<typeof AdmissionRow>): Admission {
  switch (row.kind) {
    case 'circuit-open':
      return { kind: 'circuit-open', retryAtEpochMs: row.retryAt };
    case 'disabled':
      return { kind: 'disabled', disabled: { untilEpochMs: row.until, by: row.by, reason: row.reason } };
    default:
      return row;
  }
}
