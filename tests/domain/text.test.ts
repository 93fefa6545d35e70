import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanText, maskEmail, maskEmailsIn, maskEmailsWithin } from '../../src/domain/text.ts';

/** Text as an attacker would write it: sequences, their pieces, and anything else. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\x1b[31m',
        '\x1b]0;title\x07',
        '\x1b]8;;http://x\x1b\\',
        '\x1bPq#0\x1b\\',
        '\x9b2J',
        '\x1b',
        '\x9c',
      ),
      fc.constantFrom('\x1b[', '\x1b]', '\x1b_', '\r\n', '\u2028', '\u202e', '\u2066', '\u200b', '\ud800', '\u{e0041}'),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''));

describe('cleanText', () => {
  test.each([
    ['colours are removed whole', 'a\x1b[1;31mred\x1b[0m b', 'ared b'],
    ['a title sequence is removed with its text', 'a\x1b]0;owned\x07b', 'ab'],
    ['a clipboard sequence ended by ST is removed whole', 'a\x1b]52;c;aGk=\x1b\\b', 'ab'],
    ['device control strings are removed whole', 'a\x1bP1$r0m\x1b\\b', 'ab'],
    ['8-bit controls count as their escape forms', 'a\x9b31mb\x9d0;t\x9cc', 'abc'],
    ['short escapes are removed', 'a\x1b(Bb\x1bcc', 'abc'],
    ['an unfinished sequence loses its escape and is text', 'a\x1b]0;rest', 'a0;rest'],
    ['sequences hidden in each other leave no escape', '\x1b\x1b[31m[31mx', '[31mx'],
    ['line breaks and tabs are one space', 'a\r\n\tb\u2028c', 'a b c'],
    ['bidirectional overrides and zero-width characters are removed', 'a\u202eb\u2066c\u200bd\ufeff', 'abcd'],
    ['half a surrogate pair is replaced', 'a\ud83d!', 'a\ufffd!'],
    ['what people write stays', 'Grüße 你好 😀 {bold}', 'Grüße 你好 😀 {bold}'],
  ])('%s', (_name, text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  test('nothing that a terminal would act on remains, and the length is bounded', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 0, max: 200 }), (text, maxLength) => {
        const clean = cleanText(text, maxLength);
        expect(clean).not.toMatch(/[^\x20-\x7e\u00a0-\u{10ffff}]/u);
        expect(clean.length).toBeLessThanOrEqual(maxLength);
        expect(clean.isWellFormed()).toBe(true);
      }),
    );
  });

  test('cleaning twice is cleaning once', () => {
    fc.assert(fc.property(hostile, (text) => cleanText(cleanText(text)) === cleanText(text)));
  });

  test('megabytes of unfinished sequences take no noticeable time', () => {
    const started = performance.now();
    for (const piece of ['\x1b[', '\x1b]', '\x1bP', '\x1b[1;', ' ', 'a@']) cleanText(piece.repeat(1_000_000));
    for (const piece of ['a', 'a.', 'a@', '@', '.@']) maskEmailsIn(piece.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a cut never leaves half a character', () => {
    expect(cleanText('😀😀😀', 4)).toBe('😀…');
    expect(cleanText('abcdef', 3)).toBe('ab…');
    expect(cleanText('abc', 0)).toBe('');
  });
});

describe('masking', () => {
  test.each([
    ['maria@example.org', 'm***@example.org'],
    ['ünal@example.org', 'ü***@example.org'],
    ['😀x@example.org', '😀***@example.org'],
    ['"a@b"@example.org', '"***@example.org'],
    ['no address', '***'],
    ['@example.org', '***'],
    ['', '***'],
  ])('%s is shown as %s', (address, expected) => {
    expect(maskEmail(address)).toBe(expected);
  });

  test.each([
    ['550 <maria@example.org>: no such user', '550 <m***@example.org>: no such user'],
    ['to=maria@example.org, anna.b@mail.example.co.uk;', 't***@example.org, a***@mail.example.co.uk;'],
    ['paused by anna@host', 'paused by anna@host'],
    ['nothing here', 'nothing here'],
  ])('in %j only addresses are hidden', (text, expected) => {
    expect(maskEmailsIn(text)).toBe(expected);
  });

  test('however deep they lie, and nothing else changes', () => {
    const value = { at: 5, none: null, rows: [{ error: '550 maria@example.org', hosts: ['anna@host'] }] };
    expect(maskEmailsWithin(value)).toEqual({
      ...value,
      rows: [{ error: '550 m***@example.org', hosts: ['anna@host'] }],
    });
  });

  test('no local part of more than one letter survives', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const [local = ''] = address.split('@');
        fc.pre(local.length > 2);
        expect(maskEmailsIn(`sending to ${address} failed`)).not.toContain(`${local}@`);
      }),
    );
  });
});
