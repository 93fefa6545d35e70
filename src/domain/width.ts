/** How many cells of a terminal a text takes, and texts made to fit a number of them. Expects one clean line (`cleanText`). */

/** Cells of `text`: two for wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  if (isAscii(text)) return text.length;
  let cells = 0;
  for (const { segment } of graphemes(text)) cells += cellsOf(segment);
  return cells;
}

/** Exactly `cells` wide: cut with an ellipsis where it is longer, filled with spaces where it is shorter. */
export function fitTo(text: string, cells: number, align: 'left' | 'right' = 'left', ellipsis = '…'): string {
  const cut = truncate(text, cells, ellipsis);
  const filling = ' '.repeat(Math.max(0, cells - displayWidth(cut)));
  return align === 'left' ? cut + filling : filling + cut;
}

/** At most `cells` wide; the ellipsis counts. */
export function truncate(text: string, cells: number, ellipsis = '…'): string {
  if (displayWidth(text) <= cells) return text;
  const room = cells - displayWidth(ellipsis);
  if (room < 0) return '';
  let used = 0;
  let kept = '';
  for (const { segment } of graphemes(text)) {
    used += cellsOf(segment);
    if (used > room) break;
    kept += segment;
  }
  return kept.trimEnd() + ellipsis;
}

/** Lines of at most `cells`, broken at spaces; a word that is longer than a line is cut into pieces. */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, cells))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= cells) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
  }
  return [...lines, line];
}

/** Made when a text first needs it: that takes 18 ms, a fifth of what `--help` took, whose text is ASCII. */
let segmenter: Intl.Segmenter | null = null;

function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** East Asian wide and fullwidth blocks, as Unicode's EastAsianWidth gives them, merged where only unassigned points lie between. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const MARKS_ONLY = /^\p{M}+$/u;

function cellsOf(grapheme: string): number {
  if (MARKS_ONLY.test(grapheme)) return 0;
  return EMOJI.test(grapheme) || WIDE.test(grapheme) ? 2 : 1;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function pieces(word: string, cells: number): string[] {
  if (displayWidth(word) <= cells) return [word];
  const found: string[] = [];
  let piece = '';
  for (const { segment } of graphemes(word)) {
    if (piece !== '' && displayWidth(piece + segment) > cells) {
      found.push(piece);
      piece = '';
    }
    piece += segment;
  }
  return [...found, piece];
}
