/** Values as other programs get them: times in ISO instead of epoch milliseconds, names to match. */

/**
 * A copy for JSON: `takenAtEpochMs: 0` becomes `takenAt: "1970-01-01T00:00:00.000Z"`, `atEpochMs` becomes `at`, null stays
 * null. Everything else stays as it is.
 */
export function toJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      EPOCH_NAME.test(name) ? [name.replace(EPOCH_NAME, (_, at: string) => at), isoOf(inner)] : [name, toJson(inner)],
    ),
  );
}

const EPOCH_NAME = /(at|At|until|Until)EpochMs$/;

function isoOf(epochMs: unknown): string | null {
  if (typeof epochMs !== 'number') return null;
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
