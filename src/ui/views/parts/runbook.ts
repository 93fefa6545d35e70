/** An entry of the runbook as lines: what it means, and what to check first with its keys and commands. Pure. */
import type { RunbookEntry, RunbookStep } from '../../../domain/runbook.ts';
import { wrap } from '../../../domain/width.ts';
import { BLANK, type Line, line, seg } from '../../line.ts';

export function runbookLines(entry: RunbookEntry, width: number): readonly Line[] {
  return [
    line(seg(entry.title, 'strong')),
    ...wrapped(entry.means, width),
    BLANK,
    line(seg('Check first', 'strong')),
    ...entry.check.flatMap((step, index) => stepLines(step, index + 1, width)),
    BLANK,
    line(seg(`docs/runbook.md#${entry.id}`, 'muted')),
  ];
}

const INDENT = 3;

/** The hands of a step follow its text, on a line of their own where they do not fit. */
function stepLines({ text, command, key }: RunbookStep, number: number, width: number): Line[] {
  const hands: Line = [
    ...(key === undefined ? [] : [seg('press ', 'muted'), seg(key, 'key')]),
    ...(key === undefined || command === undefined ? [] : [seg(', or ', 'muted')]),
    ...(command === undefined ? [] : [seg(command, 'accent')]),
  ];
  const lines = wrap(text, Math.max(10, width - INDENT)).map((each, index) =>
    line(seg(index === 0 ? `${number}. `.padEnd(INDENT) : ' '.repeat(INDENT), 'muted'), each),
  );
  return hands.length === 0 ? lines : [...lines, [seg(' '.repeat(INDENT)), seg('→ ', 'muted'), ...hands]];
}

function wrapped(text: string, width: number): Line[] {
  return wrap(text, Math.max(10, width)).map((each) => line(each));
}
