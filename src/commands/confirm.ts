/** Asking before something that is hard to undo. */
import { createInterface } from 'node:readline/promises';
import { cleanText } from '../domain/text.ts';
import { CommandError, EXIT } from './command.ts';
import type { Io } from './io.ts';

/**
 * True when the person says yes. Without a terminal nobody can be asked: then it throws and names the option that says yes
 * beforehand.
 */
export async function confirm(io: Io, question: string, signal: AbortSignal): Promise<boolean> {
  if (!io.stdin.isTty || !io.stderr.isTty) {
    throw new CommandError(`${question} Nobody can be asked here; pass --yes if you are sure`, {
      exitCode: EXIT.usage,
    });
  }
  // It may name who paused, and why: text from outside.
  io.stderr.write(`${cleanText(question, 2_000)} [y/N] `);
  const lines = createInterface({ input: process.stdin, signal });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
