/** What each format of a variable accepts, as zod schemas. A message completes the sentence that begins with the variable's name. */
import { z } from 'zod';
import type { Format, Variable } from './config-variables.ts';

export type Value = string | number | boolean | null;

/** The schema of one variable. Undefined and blank mean not set, which is its default or null. */
export function schemaOf(variable: Variable): z.ZodType<Value> {
  return z.preprocess(
    (text) => (typeof text === 'string' && text.trim() !== '' ? text.trim() : (variable.default ?? null)),
    FORMATS[variable.format](variable).nullable(),
  );
}

const FORMATS: Readonly<Record<Format, (variable: Variable) => z.ZodType<Value>>> = {
  'http-url': () =>
    checked((text) => {
      const url = parseUrl(text);
      if (url?.protocol === 'redis:' || url?.protocol === 'rediss:')
        return 'is a Redis TCP address; put it in REDIS_URL, or give the REST address, which begins https://';
      if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
        return 'is not an address; it must begin https:// (or http:// for a local one)';
      if (url.username !== '' || url.password !== '') return 'carries a user name or password; give the plain address';
      if (url.search !== '' || url.hash !== '') return 'carries a query; give the plain address';
      return null;
    }).transform((text) => text.replace(/\/+$/, '')),

  'redis-url': () =>
    checked((text) => {
      const url = parseUrl(text);
      if (url?.protocol === 'https:' || url?.protocol === 'http:')
        return 'is a REST address; put it in KV_REST_API_URL, with its token in KV_REST_API_TOKEN';
      if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '')
        return 'is not a Redis address';
      return null;
    }),

  'smtp-url': () =>
    checked((text) => {
      const url = parseUrl(text);
      const isSmtp = url !== null && (url.protocol === 'smtp:' || url.protocol === 'smtps:') && url.hostname !== '';
      return isSmtp ? null : 'is not an SMTP address';
    }),

  'webhook-url': () =>
    checked((text) => {
      const url = parseUrl(text);
      const isHttp = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
      return isHttp ? null : 'is not an address; it must begin https:// (or http:// for a local one)';
    }),

  'webhook-format': () => checked((text) => (/^(slack|json)$/.test(text) ? null : 'is neither slack nor json')),

  secret: ({ min = 1 }) =>
    checked((text) => {
      // A line break in a header value makes every request fail with a message that names neither.
      if (/[^\x21-\x7e]/.test(text)) return 'contains spaces, line breaks or letters that no key has; copy it again';
      return text.length < min ? `is shorter than ${min} characters` : null;
    }),

  'service-key': () =>
    checked((text) => {
      if (/[^\x21-\x7e]/.test(text)) return 'contains spaces, line breaks or letters that no key has; copy it again';
      if (text.startsWith('sb_publishable_') || roleOfJwt(text) === 'anon')
        return 'is the public key, which may not read the queue; use the secret (service_role) key';
      return null;
    }),

  name: () =>
    checked((text) =>
      /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u.test(text)
        ? null
        : 'is not a name; use at most 32 letters, digits, spaces, dots and dashes',
    ),

  integer: ({ min = 0, max = Number.MAX_SAFE_INTEGER }) =>
    checked((text) => {
      if (!/^[+-]?\d{1,15}$/.test(text)) return `is not a whole number; use ${min} to ${max}`;
      if (Number(text) > max) return `is over the maximum of ${max}`;
      return Number(text) < min ? `is under the minimum of ${min}` : null;
    }).transform(Number),

  flag: () =>
    checked((text) =>
      TRUE.includes(text.toLowerCase()) || FALSE.includes(text.toLowerCase()) ? null : 'is neither true nor false',
    ).transform((text) => TRUE.includes(text.toLowerCase())),
};

const TRUE = ['1', 'true', 'yes', 'on'];
const FALSE = ['0', 'false', 'no', 'off'];

/** A string for which `complaint` has nothing to say. */
function checked(complaint: (text: string) => string | null): z.ZodString {
  return z.string().superRefine((text, context) => {
    const message = complaint(text);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}

export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

function roleOfJwt(text: string): unknown {
  const payload = text.split('.')[1];
  if (payload === undefined) return null;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).role;
  } catch {
    return null;
  }
}
