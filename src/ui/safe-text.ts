/**
 * Text from outside → characters that take exactly one cell each and mean nothing to a terminal. Every segment that reaches
 * a panel has been through here, so one character is one cell everywhere in the dashboard.
 */
import { cleanText } from '../domain/text.ts';
import { displayWidth } from '../domain/width.ts';

/** What stands for a character of two cells, an emoji, or one that the screen library would draw wrongly. */
export const SUBSTITUTE = '□';

const MAX_LENGTH = 2_000;

/** One line, one cell a character: controls, escape sequences and invisible characters are gone. Idempotent; never throws. */
export function safeText(text: string): string {
  if (HARMLESS.test(text)) return text;
  // Spaces at the ends align columns; cleaning would take them away.
  const [before = ''] = /^ */.exec(text) ?? [];
  const [after = ''] = before.length === text.length ? [] : (/ *$/.exec(text) ?? []);
  return before + singleCells(cleanText(text, MAX_LENGTH)) + after;
}

/** Letters, punctuation, arrows, mathematical signs, boxes, blocks and braille that are one cell wide everywhere. */
const HARMLESS =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0373\u0376-\u0377\u037b-\u037f\u0384-\u03ff\u0400-\u0482\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2193\u2200-\u22ff\u2500-\u25fc\u2713\u2717\u2800-\u28ff]*$/;

function singleCells(text: string): string {
  let line = '';
  for (const { segment } of GRAPHEMES.segment(text.normalize('NFC'))) line += singleCell(segment);
  return line;
}

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

function singleCell(grapheme: string): string {
  if (grapheme.length === 1 && displayWidth(grapheme) === 1 && !/\p{M}|\p{Cn}|\p{Co}/u.test(grapheme)) {
    return /\p{Zs}/u.test(grapheme) ? ' ' : grapheme;
  }
  const [first = ''] = grapheme;
  // A letter with marks that have no composed form keeps its letter.
  if (/^[\p{L}\p{N}\p{P}]\p{M}+$/u.test(grapheme) && first.length === 1 && displayWidth(first) === 1) return first;
  return SUBSTITUTE;
}
