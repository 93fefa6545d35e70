/** Doctor: what this terminal can show. */
import type { Variables } from '../../config.ts';
import { type Io, isUtf8 } from '../io.ts';
import type { Check } from './check.ts';

const LEAST = { columns: 80, rows: 24 };

export function checkTerminal(io: Io, environment: Variables): Check[] {
  const { isTty, columns, rows } = io.stdout;
  if (!isTty) {
    const detail = 'stdout is no terminal: commands print plain text';
    return [{ name: 'terminal', state: 'skipped', detail }, checkEncoding(environment)];
  }
  const size = `${columns}×${rows}`;
  const isSmall = columns < LEAST.columns || rows < LEAST.rows;
  return [
    isSmall
      ? { name: 'size', state: 'warning', detail: `${size}, under 80×24`, remedy: 'Make the window larger.' }
      : { name: 'size', state: 'ok', detail: size },
    { name: 'colours', state: 'ok', detail: colours(io, environment) },
    checkEncoding(environment),
  ];
}

function colours({ colour }: Io, { NO_COLOR, TERM, COLORTERM }: Variables): string {
  if (!colour) return NO_COLOR ? 'off: NO_COLOR is set' : `off: TERM is ${TERM ?? 'not set'}`;
  if (/truecolor|24bit/.test(COLORTERM ?? '')) return 'true colour';
  return /256/.test(TERM ?? '') ? '256' : '16';
}

function checkEncoding(environment: Variables): Check {
  if (isUtf8(environment)) return { name: 'encoding', state: 'ok', detail: 'UTF-8' };
  const detail = 'the locale is not UTF-8: only ASCII is shown';
  return { name: 'encoding', state: 'warning', detail, remedy: 'export LC_ALL=C.UTF-8' };
}
