/** The same text in ASCII, cell for cell, for terminals that show nothing else. */

const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['█▇▓■', '#'],
    ['░', '.'],
    ['▁▂', '_'],
    ['▃▄', '-'],
    ['▅▆', '='],
    ['–—─', '-'],
    ['…', '~'],
    ['·•', '.'],
    ['│┤├┃╎', '|'],
    ['┌┐└┘┼┬┴', '+'],
    ['→▸', '>'],
    ['←◂', '<'],
    ['↑▲↗', '^'],
    ['↓▼↘', 'v'],
    ['×', 'x'],
    ['✓', '+'],
    ['✗', 'x'],
    ['●', '*'],
    ['○', 'o'],
    ['‘’', "'"],
    ['“”', '"'],
    ['≈', '~'],
  ].flatMap(([from = '', to = '?']) => [...from].map((character) => [character, to])),
);

/** What has no likeness is `?`. Letters lose their marks. */
export function asciiText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replaceAll(/[^\x20-\x7e]/g, (character) => {
    const [base = ''] = character.normalize('NFD');
    return LOOKALIKES[character] ?? (/[\x20-\x7e]/.test(base) ? base : '?');
  });
}
