/**
 * What it means for an email that the email function itself failed, before or instead of any provider. The question that
 * matters: did the request certainly not arrive? Only then may the email go another way without being sent twice.
 */
import type { Fault } from '../domain/loaded.ts';

/**
 * - `refused`: the function takes nothing from us, whatever we send; nothing was sent
 * - `unavailable`: the request did not get through; nothing was sent
 * - `unanswered`: the request may have arrived, and the email with it
 */
export type SendFaultKind = 'refused' | 'unavailable' | 'unanswered';

export function kindOfSendFault(fault: Fault): SendFaultKind {
  if (fault.code === 'unauthorized' || fault.code === 'not-configured') return 'refused';
  if (fault.code === 'protocol' && /\(HTTP 4\d\d\)/.test(fault.message)) return 'refused';
  if (fault.code === 'rate-limited') return 'unavailable';
  if (fault.code === 'unreachable' && NEVER_ARRIVED.test(fault.message)) return 'unavailable';
  return 'unanswered';
}

/** No connection was made, or the platform says that it could not start the function. */
const NEVER_ARRIVED =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT|BOOT_ERROR|failed to start/;
