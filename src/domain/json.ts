/** Values as other programs get them: times in ISO instead of epoch milliseconds, names to match, as text that is safe to look at. */

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

/**
 * JSON on one line. What a terminal would obey or hide (C1 controls, bidirectional overrides, invisible characters) is written
 * as `\u…`, which reads back as the same value; JSON itself does that only for what is below 0x20.
 */
export function jsonText(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replaceAll(HIDDEN, escaped);
}

/** Tag characters, which lie beyond the BMP, as their two halves. */
const HIDDEN =
  /[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

function escaped(characters: string): string {
  return characters
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const EPOCH_NAME = /(at|At|until|Until|since|Since)EpochMs$/;

function isoOf(epochMs: unknown): string | null {
  if (typeof epochMs !== 'number') return null;
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
