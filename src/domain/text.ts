/**
 * The one place that makes text from outside (subjects, errors, alerts) harmless to a terminal, and that masks addresses.
 * Tags of the screen library are none of its business: they are escaped where the screen is drawn.
 */

const DEFAULT_MAX_LENGTH = 1_000;

/** Whole sequences, so that nothing of them stays as litter. What is cut short loses its ESC below and is only text then. */
const ESCAPE_SEQUENCES = new RegExp(
  [
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`, // CSI: colours, cursor, modes
    String.raw`(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)`, // OSC: title, clipboard, links
    String.raw`(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)`, // DCS, SOS, PM, APC
    String.raw`\x1b[ -/]*[0-~]`, // everything else that ESC begins
  ].join('|'),
  'g',
);
const LINE_BREAKS = /[\t\n\v\f\r\x85\u2028\u2029]+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes.
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;
/** Bidirectional marks, overrides and isolates; zero-width and other invisible characters; tag characters. */
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/**
 * One line of visible text: escape sequences, controls and invisible characters are gone, line breaks are spaces. At most
 * `maxLength` UTF-16 units, of which the last is `…` where something was cut. Never throws.
 */
export function cleanText(text: string, maxLength = DEFAULT_MAX_LENGTH): string {
  // A bound on the work: no honest text needs more than this to fill `maxLength` visible characters.
  const clean = text
    .slice(0, maxLength * 4 + 4_096)
    .replace(ESCAPE_SEQUENCES, '')
    .replace(LINE_BREAKS, ' ')
    .replace(CONTROLS, '')
    .toWellFormed()
    .replace(INVISIBLE, '')
    .trim();
  return shorten(clean, maxLength);
}

/** Without controls and invisible characters, line breaks as spaces, and otherwise as it is: for lines that were put together from clean parts. */
export function withoutControls(text: string): string {
  return text.replace(LINE_BREAKS, ' ').replace(CONTROLS, '').replace(INVISIBLE, '');
}

/** At most `maxLength` UTF-16 units, never half a surrogate pair; `…` says that something was cut. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  if (maxLength < 1) return '';
  const kept = text.slice(0, maxLength - 1);
  const last = kept.charCodeAt(kept.length - 1);
  return `${last >= 0xd800 && last <= 0xdbff ? kept.slice(0, -1) : kept}…`;
}

/** `maria@example.org` → `m***@example.org`. What is no address is hidden whole. */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 1) return '***';
  const [first = ''] = address.slice(0, at);
  return `${first}***${address.slice(at)}`;
}

/** The same text with every email address in it masked. An address needs a dotted domain: `anna@host` names an operator. */
export function maskEmailsIn(text: string): string {
  // Tokens first, then a look inside each: linear, where one pattern for a whole address would be quadratic.
  return text.replace(/[^\s<>"'`(),;:[\]{}|]+/g, (token) =>
    /@[^@]*[^@.][^@]*\.[^@.]/.test(token) ? maskEmail(token) : token,
  );
}

/** A copy with every email address masked in every text of it, however deep. */
export function maskEmailsWithin<T>(value: T): T {
  // The copy has the shape of the original; only texts differ.
  const copy = (inner: unknown): unknown => {
    if (typeof inner === 'string') return maskEmailsIn(inner);
    if (Array.isArray(inner)) return inner.map(copy);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, each]) => [name, copy(each)]));
  };
  return copy(value) as T;
}
