import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breaksOff, decodeInput } from '../../src/ui/input.ts';

const keysOf = (text: string, isFinal = true) =>
  decodeInput(text, isFinal).events.map((event) => (event.kind === 'key' ? event.key : event));

describe('what the terminal sends', () => {
  it.each([
    ['q', ['q']],
    ['ä€', ['ä', '€']],
    [' ', ['space']],
    ['\r', ['enter']],
    ['\n', ['enter']],
    ['\x7f\b', ['backspace', 'backspace']],
    ['\x03\x1a\x01', ['C-c', 'C-z', 'C-a']],
    ['\t\x1b[Z', ['tab', 'S-tab']],
    ['\x1b[A\x1bOB\x1b[C\x1b[D', ['up', 'down', 'right', 'left']],
    ['\x1b[5~\x1b[6~\x1b[H\x1bOF', ['page-up', 'page-down', 'home', 'end']],
    ['\x1b[1;5C', ['C-right']],
    ['\x1bx', ['escape', 'x']],
    ['\x1b', ['escape']],
    ['\x1b\x1b[A', ['escape', 'up']],
    ['\x1b]', ['escape', ']']],
  ])('%j means %j', (bytes, keys) => {
    expect(keysOf(bytes)).toEqual(keys);
  });

  it('waits for the rest of a sequence, and takes a lone ESC for Escape when nothing follows', () => {
    expect(decodeInput('\x1b', false)).toEqual({ events: [], rest: '\x1b' });
    expect(decodeInput('a\x1b[5', false)).toEqual({ events: [{ kind: 'key', key: 'a' }], rest: '\x1b[5' });
    expect(keysOf('\x1b[5~')).toEqual(['page-up']);
  });

  it('gives pasted text as one event, whatever keys are in it', () => {
    expect(keysOf('\x1b[200~q\r\x03x\x1b[201~p')).toEqual([{ kind: 'paste', text: 'q\r\x03x' }, 'p']);
    expect(decodeInput('\x1b[200~half', false).rest).toBe('\x1b[200~half');
  });

  it('reads clicks and the wheel, and no other mouse report', () => {
    expect(keysOf('\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<35;3;3M')).toEqual([
      { kind: 'mouse', action: 'press', x: 9, y: 4 },
      { kind: 'mouse', action: 'wheel-up', x: 0, y: 0 },
      { kind: 'mouse', action: 'wheel-down', x: 0, y: 0 },
    ]);
  });

  it('types nothing of the old mouse reports that a program before left switched on', () => {
    expect(keysOf('\x1b[M rwx\x1b[M#!!')).toEqual(['x']);
    expect(decodeInput('\x1b[M r', false)).toEqual({ events: [], rest: '\x1b[M r' });
    expect(keysOf('\x1b[M r')).toEqual([]);
  });

  it('lets Ctrl-C out of a pasted text whose end never came, and of no other', () => {
    expect(breaksOff('\x1b[200~half', '\x03')).toBe(true);
    expect(breaksOff('\x1b[200~half', 'q\x03')).toBe(false);
    expect(breaksOff('\x1b', '\x03')).toBe(false);
  });

  it('drops answers of the terminal and functions keys that nobody asked for', () => {
    expect(keysOf('\x1b[?2026;2$y\x1b]11;rgb:0/0/0\x07\x1bP1$r0m\x1b\\\x1b[24~x')).toEqual(['x']);
  });

  it('gives the same keys however the bytes are cut', () => {
    const piece = fc.constantFrom(
      'q',
      'ß',
      '\r',
      '\x1b[A',
      '\x1bOB',
      '\x1b[5~',
      '\x1b[200~x y\x1b[201~',
      '\x1b[<0;3;4M',
      '\x1b[M rw',
      '\x03',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 6 }), (pieces, cuts) => {
        const whole = pieces.join('');
        const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        let rest = '';
        const events = [...places, whole.length].flatMap((end, index) => {
          const begin = index === 0 ? 0 : (places[index - 1] ?? 0);
          const decoded = decodeInput(rest + whole.slice(begin, end), false);
          rest = decoded.rest;
          return [...decoded.events];
        });
        expect([...events, ...decodeInput(rest, true).events]).toEqual(decodeInput(whole, true).events);
      }),
    );
  });

  it('never throws and never grows, whatever arrives', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, isFinal) => {
        expect(decodeInput(text, isFinal).rest.length).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
