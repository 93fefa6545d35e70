/** The `:` line: completion over the words of the keymap, and what a typed line means. Pure. */
import type { GivenCommand } from './commands.ts';
import type { Dialog } from './dialog.ts';
import { isMeant, type KeyRow, whyNot } from './key-row.ts';
import { KEYMAP } from './keymap.ts';
import type { State } from './state.ts';

export type Typed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'command'; readonly command: GivenCommand }
  | { readonly kind: 'wrong'; readonly why: string };

type CommandDialog = Extract<Dialog, { kind: 'command' }>;

/** What could stand where the cursor is, best first. Only what means something in the view at hand. */
export function completions(text: string, state: State): readonly string[] {
  const [word = '', argument] = split(text);
  if (argument === undefined) {
    const rows = KEYMAP.filter((row) => isMeant(row, state) && row.word.startsWith(word));
    return rows.map((row) => (row.takes === undefined ? row.word : `${row.word} `));
  }
  const row = rowOf(word, state);
  const takes = row?.takes?.filter((each) => !each.startsWith('<')) ?? [];
  return takes.filter((each) => each.startsWith(argument)).map((each) => `${word} ${each}`);
}

/** What follows the word, in words; for the line below. */
export function describe(text: string, state: State): string {
  const row = rowOf(split(text)[0] ?? '', state);
  if (row === undefined) return '';
  const takes = row.takes === undefined ? '' : ` (${row.takes.join(', ')})`;
  const why = whyNot(row, state);
  return `${row.does}${takes}${why === null ? '' : `: not now, ${why}`}`;
}

/** Tab: the next candidate. What was typed first stays the question until something else is typed. */
export function completed(dialog: CommandDialog, state: State, step: 1 | -1): CommandDialog {
  const asked = dialog.asked ?? dialog.text;
  const found = completions(asked, state);
  if (found.length === 0) return dialog;
  const chosen =
    (dialog.chosen < 0 ? (step > 0 ? 0 : found.length - 1) : dialog.chosen + step + found.length) % found.length;
  const text = found[chosen] ?? asked;
  return found.length === 1 ? { kind: 'command', text, chosen: -1 } : { kind: 'command', text, chosen, asked };
}

/** A unique beginning of a word is enough. */
export function typedInCommandLine(text: string, state: State): Typed {
  const [word = '', argument] = split(text);
  if (word === '') return { kind: 'nothing' };
  const row = rowOf(word, state);
  if (row === undefined) return { kind: 'wrong', why: `there is no command ${word} here; Tab lists them` };
  const why = whyNot(row, state);
  if (why !== null) return { kind: 'wrong', why: `${row.word}: ${why}` };
  const given = argument === undefined || argument === '' ? row.argument : argument;
  if (row.keys.length === 0 && given === undefined && row.takes !== undefined)
    return { kind: 'wrong', why: `${row.word} takes one of: ${row.takes.join(', ')}` };
  return { kind: 'command', command: { name: row.name, ...(given === undefined ? {} : { argument: given }) } };
}

function rowOf(word: string, state: State): KeyRow | undefined {
  const meant = KEYMAP.filter((row) => isMeant(row, state));
  const exact = meant.find((row) => row.word === word);
  const beginning = meant.filter((row) => word !== '' && row.word.startsWith(word));
  return exact ?? (beginning.length === 1 ? beginning[0] : undefined);
}

/** The word and, after the first space, the rest. */
function split(text: string): [string, string | undefined] {
  const trimmed = text.trimStart().toLowerCase();
  const at = trimmed.indexOf(' ');
  return at < 0
    ? [trimmed, undefined]
    : [
        trimmed.slice(0, at),
        text
          .trimStart()
          .slice(at + 1)
          .trimStart(),
      ];
}
