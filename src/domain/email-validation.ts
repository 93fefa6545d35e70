/** What is checked before an email is sent: what no provider would take costs neither a request nor our good name. */
import type { EmailContent } from './email.ts';

/** The largest email that every one of the four providers takes: Brevo's limit, as text before encoding. */
export const MAX_CONTENT_BYTES = 10_000_000;

/** RFC 5321: 64 before the @, 254 in all. */
const MAX_ADDRESS = 254;
const MAX_LOCAL_PART = 64;
/** RFC 5322's limit of a line, which a subject is. */
const MAX_SUBJECT = 998;

/** Why this email can never be sent, in a sentence for `last_error`; null when nothing speaks against it. */
export function findEmailFault(email: {
  readonly recipientEmail: string;
  readonly content: EmailContent;
}): string | null {
  const { subject, html, text, from } = email.content;
  const addressFault = findAddressFault(email.recipientEmail);
  if (addressFault !== null) return `The recipient's address ${addressFault}.`;
  if (isBlank(subject)) return 'The subject is missing.';
  if (isBlank(html)) return 'The content (html) is missing.';
  if (subject.length > MAX_SUBJECT) return `The subject is longer than ${MAX_SUBJECT} characters.`;
  if (/[\r\n]/.test(subject)) return 'The subject contains a line break.';
  const senderFault = from === null ? null : findAddressFault(/<([^<>]*)>\s*$/.exec(from)?.[1] ?? from);
  if (senderFault !== null) return `The sender's address ${senderFault}.`;
  const bytes = byteLength(html) + byteLength(text ?? '');
  if (bytes > MAX_CONTENT_BYTES)
    return `The content is too large: ${toMb(bytes)} MB, at most ${toMb(MAX_CONTENT_BYTES)} MB.`;
  return null;
}

/** What is wrong with an address, as the end of a sentence; null when providers would take it. */
export function findAddressFault(address: string): string | null {
  if (address.trim() === '') return 'is missing';
  if (address !== address.trim() || /[\s\p{Cc}\p{Cf}]/u.test(address)) return 'contains spaces or invisible characters';
  if (address.length > MAX_ADDRESS) return `is longer than ${MAX_ADDRESS} characters`;
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  if (at < 1 || domain === '') return 'has no name or no domain around an @';
  if (local.length > MAX_LOCAL_PART) return `has more than ${MAX_LOCAL_PART} characters before the @`;
  if (/[@<>()[\]\\,;:"]/.test(local) || local.startsWith('.') || local.endsWith('.') || local.includes('..')) {
    return 'has characters before the @ that no provider takes';
  }
  return isDomain(domain) ? null : 'has no valid domain';
}

/** Nearly every domain there is, told without asking Unicode about every letter. */
const PLAIN_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;

/** Labels of letters, digits and inner hyphens, letters of any script, at least two of them; the last is no number. */
function isDomain(domain: string): boolean {
  if (PLAIN_DOMAIN.test(domain)) return true;
  const labels = domain.split('.');
  const last = labels.at(-1) ?? '';
  const areLabels = labels.every((label) =>
    /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u.test(label),
  );
  return labels.length >= 2 && areLabels && last.length >= 2 && !/^\d+$/.test(last);
}

const encoder = new TextEncoder();

/** Exact where it could matter; a text this short cannot reach the limit. */
function byteLength(text: string): number {
  return text.length * 3 <= MAX_CONTENT_BYTES / 2 ? text.length : encoder.encode(text).byteLength;
}

function isBlank(text: string | null): text is null {
  return text === null || text.trim() === '';
}

function toMb(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
