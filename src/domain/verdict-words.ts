/** The verdict in one word, the same on every screen and page; only `status --check` has the words of monitoring plugins. */
import type { VerdictLevel } from './verdict-reason.ts';

const WORDS: Readonly<Record<VerdictLevel, string>> = {
  ok: 'OK',
  warning: 'DEGRADED',
  critical: 'CRITICAL',
  unreachable: 'UNREACHABLE',
};

export function levelWord(level: VerdictLevel): string {
  return WORDS[level];
}
