/** Text from strangers, and how to put it into every place that they can write; what must never come out of it. */

/** What has been seen in subjects, errors and alerts, and what somebody could put there. */
export const CORPUS: readonly string[] = [
  '\x1b[2J\x1b[H gone',
  '\x1b]0;title\x07 and \x1b]52;c;aGk=\x1b\\ clipboard',
  '\x1b[31;5mred\x1b[0m',
  '\x9b2J C1 \x9d0;x\x9c',
  '\x1bP1$r\x1b\\ \x1b_apc\x1b\\ \x1b^pm\x1b\\',
  '\x1b[?1049l\x1b[?25h\x1b[?1000h',
  'a\r\nb\tc\vd\fe\bf\x7f',
  '{red-fg}{bold}tags{/bold}{/red-fg} {escape} {center}{|}',
  '%s %d <b>html</b> $(reboot) `id`',
  '\u202egnp.exe\u202c \u2066iso\u2069 \u200f rtl',
  'zero\u200bwidth\ufeff\u00ad\u2060 joiner',
  '🍎👨‍👩‍👧‍👦🏳️‍🌈 emoji',
  '日本語の件名 全角',
  'e\u0301\u0302\u0303\u0304 z\u0337a\u0337l\u0337g\u0337o',
  '\ud800 half a pair \udc00',
  'x'.repeat(5_000),
  '─│┌┐ ⣿ █ our own signs',
  'مرحبا שלום',
  '\u2028line\u2029paragraph\u0085next',
  '\u{e0041}\u{e0042} tags',
  '\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ a link',
  '\x1b[6n\x1b[c\x1b[>0q\x05 answers as if typed',
  '\x1b]50;?\x07\x1b]4;1;?\x07\x1bP+q544e\x1b\\ asks for answers',
  '\x1b[?2004l\x1b[200~rm -rf ~\r\x1b[201~ as if pasted',
  '\x1bc\x1b#8\x1b(0lqk\x0e reset, and another character set',
  '\x1b[20t\x1b[21t\x1b[3;0;0t\x1b[?5h window operations',
  '\x1b_Gf=24,s=1,v=1;AAAA\x1b\\ \x1bPq#0~\x1b\\ pictures',
  '\x1b]1337;File=inline=1:AAAA\x07 \x1b]9;pwned\x07 \x1b]777;notify;a;b\x07',
  '\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\ through tmux',
  '\u009b31m\u009d0;title\u009c\u0090q\u009c C1 alone',
  'cut \x1b[', // each of these would swallow what comes after it
  'cut \x1b]0;',
  'cut \x1b',
  '\x08\x08\x08\x08over\x7f\x7fwritten',
  'line one\r\x1b[1Aline two\x1b[K',
  '[click](javascript:alert(1)) ![x](https://evil.example/x.png) <img src=x onerror=1>',
  '# heading\n\n- item\n```\ncode\n```\n| a | b |\n|---|---|',
  "=cmd|' /C calc'!A0",
  '@SUM(1+1)*cmd',
  '; rm -rf ~ && $(id) `id` | sh > /etc/x \'"\\ %0a%0d',
  '../../../../etc/passwd\0.md',
  "'; drop table email_queue; --",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what somebody would try.
  '{{7*7}} ${7*7} <%= 7*7 %> %n%n%s',
  '',
  ' ',
];

/** Fields that hold one of a few known words wherever they come from: what is something else never gets past the border. */
const CLOSED = /^(kind|state|status|severity|outcome|code|lastState|worker|level|sort|provider|order)$/;

/** The same value with `text` in the place of every string that outsiders write. */
export function poisoned<T>(value: T, text: string, closed: RegExp = CLOSED): T {
  const inner = (each: unknown): unknown => {
    if (typeof each === 'string') return text;
    if (Array.isArray(each)) return each.map(inner);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(
      Object.entries(each).map(([name, member]) => [
        name,
        closed.test(name) && typeof member === 'string' ? member : inner(member),
      ]),
    );
  };
  return inner(value) as T;
}

/** What a terminal would obey or hide, in text that was cleaned of it. Line ends and our own colours are no finding. */
export function dangersIn(output: string): readonly string[] {
  return withoutColours(output).replaceAll('\n', '').match(OBEYED_OR_HIDDEN) ?? [];
}

export function withoutColours(output: string): string {
  return output.replaceAll(COLOUR, '');
}

/** What a screen of panels must not send: anything but moving, colouring, erasing. Each finding with what follows it. */
export function strangersIn(bytes: string): readonly string[] {
  const rest = bytes.replaceAll(SCREEN_SEQUENCE, '').replaceAll(/[\r\n\b]/g, '');
  return rest.match(OBEYED_OR_HIDDEN_AND_MORE) ?? [];
}

// By their source, because control characters are what these are about.
const ESC = '\\x1b\\[';
const COLOUR = new RegExp(`${ESC}(?:\\d{1,3}(?:;\\d{1,3}){0,10})?m`, 'g');
const SCREEN_SEQUENCE = new RegExp(`${ESC}[\\d;]*[CHJKXm]`, 'g');
const OBEYED_OR_HIDDEN = hidden('');
const OBEYED_OR_HIDDEN_AND_MORE = hidden('.{0,20}');

function hidden(more: string): RegExp {
  const invisible = String.raw`\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}`;
  return new RegExp(String.raw`[\x00-\x1f\x7f-\x9f${invisible}]${more}`, 'gu');
}
