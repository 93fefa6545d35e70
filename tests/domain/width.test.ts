import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, fitTo, truncate, wrap } from '../../src/domain/width.ts';

describe('the width of text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['Grüße', 5],
    ['日本', 4],
    ['🥕 carrots', 10],
    ['e\u0301', 1],
    ['한글', 4],
    ['█░→·', 4],
  ])('of %j is %i cells', (text, cells) => {
    expect(displayWidth(text)).toBe(cells);
  });

  it('fits text to exactly the cells there are', () => {
    expect(fitTo('abc', 5)).toBe('abc  ');
    expect(fitTo('abc', 5, 'right')).toBe('  abc');
    expect(fitTo('日本語', 4)).toBe('日… ');
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(truncate('abcdef', 0)).toBe('');
  });

  it('holds for any text and any width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, cells) => {
        expect(displayWidth(fitTo(text, cells))).toBe(cells);
        expect(displayWidth(truncate(text, cells))).toBeLessThanOrEqual(cells);
      }),
    );
  });

  it('wraps without losing a word, and no line is too wide', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-zé日]{1,30}$/)), fc.integer({ min: 2, max: 30 }), (words, cells) => {
        const lines = wrap(words.join(' '), cells);
        expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(cells);
      }),
    );
  });
});
