/**
 * The border: how bytes and rows from outside become values. What does not fit is skipped and counted by the gateways,
 * never guessed.
 */
import { z } from 'zod';

/** As far as JavaScript's dates go, in both directions; what lies beyond can be neither shown nor written down. */
const LATEST_MS = 8.64e15;

/** Epoch ms, from a number or from any form of ISO time that Postgres and JavaScript write. */
export const epochMs = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = typeof value === 'number' ? value : Date.parse(isoOf(value));
  if (Math.abs(ms) <= LATEST_MS) return ms;
  context.addIssue({ code: 'custom', message: 'is no time' });
  return z.NEVER;
});

/** A count that JSON may carry as text: Postgres writes bigint and numeric that way in places. */
export const count = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d{1,15}(\.\d+)?$/)
    .transform(Number),
]);

/** Null where it is null, absent, or of another kind: for what is nice to have and must not cost the whole row. */
export function lenient<T extends z.ZodType>(schema: T): z.ZodType<z.output<T> | null> {
  return z
    .unknown()
    .optional()
    .transform((value) => {
      if (value === null || value === undefined) return null;
      const parsed = schema.safeParse(value);
      return parsed.success ? parsed.data : null;
    }) as unknown as z.ZodType<z.output<T> | null>;
}

export interface ParsedList<T> {
  readonly values: readonly T[];
  readonly skipped: number;
}

/** Parses each element on its own. */
export function parseEach<T>(schema: z.ZodType<T>, elements: readonly unknown[]): ParsedList<T> {
  const parsed = elements.map((element) => schema.safeParse(element));
  const values = parsed.flatMap((each) => (each.success ? [each.data] : []));
  return { values, skipped: parsed.length - values.length };
}

/** Parses each element as JSON text first. */
export function parseEachJson<T>(schema: z.ZodType<T>, texts: readonly unknown[]): ParsedList<T> {
  return parseEach(schema, texts.map(jsonOrUndefined));
}

/** The value of a JSON text, or undefined where it is none. */
export function jsonOrUndefined(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `2026-11-23 12:00:00+00`, as Postgres prints it, is not what JavaScript reads everywhere. */
function isoOf(text: string): string {
  return text
    .replace(/^(\d{4}-\d\d-\d\d) /, '$1T')
    .replace(/([+-]\d\d)$/, (zone) => (text.includes(':') ? `${zone}:00` : zone));
}
