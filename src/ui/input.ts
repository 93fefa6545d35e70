/**
 * Bytes of a terminal → keys by name. The screen library's own decoder is not used: it reports Enter twice and knows neither
 * pasted text nor SGR mouse reports. Pure; anything that is not understood is dropped whole, never typed.
 */

export type InputEvent =
  /** A printable character as it is, or a name such as `enter`, `S-tab`, `C-c`, `page-up`. */
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'paste'; readonly text: string }
  /** Cells counted from zero. */
  | {
      readonly kind: 'mouse';
      readonly action: 'press' | 'wheel-up' | 'wheel-down';
      readonly x: number;
      readonly y: number;
    };

export interface Decoded {
  readonly events: readonly InputEvent[];
  /** What may still become a sequence; to be passed in front of the next bytes. */
  readonly rest: string;
}

/** `isFinal`: nothing follows for now, so a lone ESC is the Escape key. */
export function decodeInput(text: string, isFinal: boolean): Decoded {
  const events: InputEvent[] = [];
  let at = 0;
  while (at < text.length) {
    const token = nextToken(text, at, isFinal);
    if (token === null) break;
    at += token.length;
    if (token.event !== null) events.push(token.event);
  }
  const rest = text.slice(at);
  // What never ends is no sequence; without a bound it would swallow everything typed afterwards.
  return { events, rest: rest.length > MOST_PENDING ? '' : rest };
}

const MOST_PENDING = 100_000;

/**
 * Ctrl-C by itself while a pasted text has not ended: its end got lost with the line, and everything typed since would belong to
 * it for ever. Within a text, Ctrl-C comes with what is around it.
 */
export function breaksOff(rest: string, bytes: string): boolean {
  return bytes === '\x03' && rest.startsWith(PASTE_BEGIN);
}

interface Token {
  readonly length: number;
  readonly event: InputEvent | null;
}

function nextToken(text: string, at: number, isFinal: boolean): Token | null {
  const code = text.codePointAt(at) ?? 0;
  if (code === 0x1b) return escapeToken(text, at, isFinal);
  const length = code > 0xffff ? 2 : 1;
  if (code >= 0x20 && code !== 0x7f && (code < 0x80 || code >= 0xa0))
    return { length, event: key(code === 0x20 ? 'space' : String.fromCodePoint(code)) };
  return { length, event: keyOrNothing(CONTROL_KEYS[code] ?? controlLetter(code)) };
}

const CONTROL_KEYS: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  127: 'backspace',
};

function controlLetter(code: number): string | undefined {
  return code >= 1 && code <= 26 ? `C-${String.fromCharCode(code + 96)}` : undefined;
}

function escapeToken(text: string, at: number, isFinal: boolean): Token | null {
  const next = text[at + 1];
  if (next === undefined) return isFinal ? { length: 1, event: key('escape') } : null;
  if (next === '[') return csiToken(text, at, isFinal);
  if (next === 'O') return ss3Token(text, at, isFinal);
  if (next === ']' || next === 'P' || next === '_' || next === '^') return stringToken(text, at, isFinal);
  // Alt with a letter looks the same; no key of ours has Alt, and a slow link brings Escape and the next key in one packet.
  return { length: 1, event: key('escape') };
}

const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';

function csiToken(text: string, at: number, isFinal: boolean): Token | null {
  if (text.startsWith(PASTE_BEGIN, at)) {
    const end = text.indexOf(PASTE_END, at);
    if (end < 0) return null;
    const pasted = text.slice(at + PASTE_BEGIN.length, end);
    return { length: end + PASTE_END.length - at, event: { kind: 'paste', text: pasted } };
  }
  if (text.startsWith(OLD_MOUSE, at)) return oldMouseToken(text, at, isFinal);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with ESC.
  const match = /\x1b\[([0-?]*)[ -/]*([@-~])/y;
  match.lastIndex = at;
  const found = match.exec(text);
  if (found === null) {
    const isPending = /^[0-?]*[ -/]*$/.test(text.slice(at + 2)) && !isFinal;
    return isPending ? null : { length: 2, event: text.length === at + 2 ? key('M-[') : null };
  }
  const [whole, parameters = '', final = ''] = found;
  return { length: whole.length, event: csiEvent(parameters, final) };
}

/** Button, column and row follow as a character each. Never switched on here, but by a program before that died. */
const OLD_MOUSE = '\x1b[M';

function oldMouseToken(text: string, at: number, isFinal: boolean): Token | null {
  const length = OLD_MOUSE.length + 3;
  if (text.length - at < length && !isFinal) return null;
  return { length: Math.min(length, text.length - at), event: null };
}

function csiEvent(parameters: string, final: string): InputEvent | null {
  if (parameters.startsWith('<')) return mouseEvent(parameters.slice(1), final);
  const [number = '', modifier = '1'] = parameters.split(';');
  const name = final === '~' ? TILDE_KEYS[number] : final === 'Z' ? 'S-tab' : LETTER_KEYS[final];
  return keyOrNothing(name === undefined ? undefined : withModifiers(name, Number(modifier)));
}

function ss3Token(text: string, at: number, isFinal: boolean): Token | null {
  const letter = text[at + 2];
  if (letter === undefined) return isFinal ? { length: 2, event: key('M-O') } : null;
  return { length: 3, event: keyOrNothing(LETTER_KEYS[letter]) };
}

/** Answers of the terminal to questions; nobody here asks, so they only have to disappear. */
function stringToken(text: string, at: number, isFinal: boolean): Token | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the terminators.
  const end = /\x07|\x1b\\|\x9c/g;
  end.lastIndex = at + 2;
  const found = end.exec(text);
  if (found !== null) return { length: found.index + found[0].length - at, event: null };
  if (!isFinal) return null;
  // Nothing but the two: Escape and the next key in one packet.
  return text.length === at + 2 ? { length: 1, event: key('escape') } : { length: text.length - at, event: null };
}

const LETTER_KEYS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  M: 'enter',
};
const TILDE_KEYS: Readonly<Record<string, string>> = {
  '1': 'home',
  '2': 'insert',
  '3': 'delete',
  '4': 'end',
  '5': 'page-up',
  '6': 'page-down',
  '7': 'home',
  '8': 'end',
};

/** xterm's modifier is one more than the bits shift, alt, control. */
function withModifiers(name: string, modifier: number): string {
  const bits = Number.isInteger(modifier) && modifier > 1 ? modifier - 1 : 0;
  return `${bits & 4 ? 'C-' : ''}${bits & 2 ? 'M-' : ''}${bits & 1 ? 'S-' : ''}${name}`;
}

function mouseEvent(parameters: string, final: string): InputEvent | null {
  const [button = Number.NaN, column = 0, row = 0] = parameters.split(';').map(Number);
  const at = { x: Math.max(0, column - 1), y: Math.max(0, row - 1) };
  if (button === 64) return { kind: 'mouse', action: 'wheel-up', ...at };
  if (button === 65) return { kind: 'mouse', action: 'wheel-down', ...at };
  return button === 0 && final === 'M' ? { kind: 'mouse', action: 'press', ...at } : null;
}

function key(name: string): InputEvent {
  return { kind: 'key', key: name };
}

function keyOrNothing(name: string | undefined): InputEvent | null {
  return name === undefined ? null : key(name);
}
