/** Lines of styled segments: what views describe and panels paint. One character is one cell. Pure. */
import { safeText } from './safe-text.ts';

/** What a text means. The theme decides how that looks; a word or sign always says the same. */
export type Role =
  | 'text'
  | 'strong'
  | 'muted'
  | 'accent'
  | 'ok'
  | 'warning'
  | 'critical'
  | 'selected'
  | 'key'
  | 'first'
  | 'second'
  | 'third'
  | 'badge-sandbox'
  | 'badge-local'
  | 'badge-production'
  | 'badge-ok'
  | 'badge-warning'
  | 'badge-critical';

export interface Segment {
  readonly text: string;
  readonly role: Role;
}

export type Line = readonly Segment[];

/** The only way to make a segment: text is made safe here, before anything is measured. */
export function seg(text: string, role: Role = 'text'): Segment {
  return { text: safeText(text), role };
}

export function line(...parts: readonly (Segment | string)[]): Line {
  return parts.map((part) => (typeof part === 'string' ? seg(part) : part)).filter(({ text }) => text !== '');
}

export const BLANK: Line = [];

export function widthOf(segments: Line): number {
  return segments.reduce((sum, { text }) => sum + text.length, 0);
}

export function textOf(segments: Line): string {
  return segments.map(({ text }) => text).join('');
}

/** At most `cells` wide; where something was cut, `…` stands last. */
export function cut(segments: Line, cells: number): Line {
  if (widthOf(segments) <= cells) return segments;
  if (cells <= 0) return BLANK;
  const kept: Segment[] = [];
  let room = cells - 1;
  for (const segment of segments) {
    const text = segment.text.slice(0, room);
    if (text.length < segment.text.length) {
      kept.push({ ...segment, text: `${text.trimEnd()}…` });
      break;
    }
    kept.push(segment);
    room -= text.length;
  }
  return kept;
}

/** Exactly `cells` wide. */
export function fill(segments: Line, cells: number, align: 'left' | 'right' = 'left'): Line {
  const short = cut(segments, cells);
  const filling = { text: ' '.repeat(Math.max(0, cells - widthOf(short))), role: 'text' } as const;
  if (filling.text === '') return short;
  return align === 'left' ? [...short, filling] : [filling, ...short];
}

/** `left` and `right` at the two ends of a line; where both do not fill, `left` gives way down to `leastLeft` cells. */
export function spread(left: Line, right: Line, cells: number, leastLeft = 20): Line {
  const wanted = widthOf(right);
  const rightRoom = Math.max(0, Math.min(wanted, cells - Math.min(widthOf(left), leastLeft) - 1));
  const short = cut(right, rightRoom);
  const room = cells - widthOf(short);
  // A cell between them, so that what was cut does not run into what follows.
  return [...fill(cut(left, short.length === 0 ? room : room - 1), room), ...short];
}

/** The parts that fit, in their order, with `separator` between them; what does not fit any more is left out whole. */
export function joinFitting(parts: readonly Line[], cells: number, separator = ' · '): Line {
  let joined: Line = [];
  for (const part of parts.filter((each) => each.length > 0)) {
    const longer = joined.length === 0 ? part : [...joined, seg(separator, 'muted'), ...part];
    if (widthOf(longer) <= cells) joined = longer;
  }
  return joined;
}

/** The same in grey: old data, and what is behind a dialog. What is selected stays to be seen. */
export function dimmed(segments: Line): Line {
  return segments.map(({ text, role }) => ({ text, role: role === 'selected' ? role : 'muted' }));
}
