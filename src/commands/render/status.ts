/** A snapshot as a page of text: the verdict and its reasons first, then what a person asks next. Pure. */
import { formatInstant } from '../../domain/format.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { cleanText, maskEmailsIn } from '../../domain/text.ts';
import type { Verdict, VerdictLevel, VerdictReason } from '../../domain/verdict.ts';
import { levelWord } from '../../domain/verdict-words.ts';
import { displayWidth, wrap } from '../../domain/width.ts';
import { type Look, paint, type Role } from './look.ts';
import { alertSection, healthSection, lockLine, queueSection, quotaSection, runSection } from './sections.ts';
import { costLine, scheduleSection, todayLine, unreachableSection } from './sections-rest.ts';

/** Lines of at most `look.columns` cells. Addresses are masked; text from outside is cleaned. */
export function statusLines(snapshot: Snapshot, verdict: Verdict, look: Look): string[] {
  return [
    ...headLines(snapshot, look),
    ...verdictLines(verdict, look),
    '',
    ...lockLine(snapshot, look),
    ...queueSection(snapshot, look),
    ...todayLine(snapshot, look),
    ...quotaSection(snapshot, look),
    ...healthSection(snapshot, look),
    ...alertSection(snapshot, look),
    ...runSection(snapshot, look),
    ...scheduleSection(snapshot, look),
    ...unreachableSection(snapshot, look),
    '',
    ...costLine(snapshot, look),
  ];
}

function headLines(snapshot: Snapshot, look: Look): string[] {
  const { name, isSandbox } = snapshot.environment;
  const when = formatInstant(snapshot.takenAtEpochMs);
  const what = `email-ops · ${cleanText(name, 40)}${isSandbox ? ' (nothing here is real)' : ''}`;
  const gap = ' '.repeat(Math.max(2, look.columns - displayWidth(what) - displayWidth(when)));
  return [`${paint('heading', what, look)}${gap}${paint('muted', when, look)}`];
}

export const ROLE_BY_LEVEL: Readonly<Record<VerdictLevel, Role>> = {
  ok: 'ok',
  warning: 'warning',
  critical: 'critical',
  unreachable: 'critical',
};

function verdictLines(verdict: Verdict, look: Look): string[] {
  const word = paint(ROLE_BY_LEVEL[verdict.level], levelWord(verdict.level), look);
  const isQuiet = verdict.reasons.every(({ level }) => level === 'ok');
  const head = isQuiet ? [`${word}  email is flowing`] : [word];
  return [...head, ...verdict.reasons.flatMap((reason) => reasonLines(reason, look))];
}

const MARK_BY_LEVEL: Readonly<Record<VerdictLevel, string>> = {
  ok: '·',
  warning: '!',
  critical: '✗',
  unreachable: '✗',
};

/** A reason and, below it, what to do. */
export function reasonLines({ level, text, action }: VerdictReason, look: Look): string[] {
  const role = level === 'ok' ? 'muted' : ROLE_BY_LEVEL[level];
  const words = wrap(maskEmailsIn(cleanText(text)), look.columns - 4).map((line, index) =>
    index === 0 ? `  ${paint(role, MARK_BY_LEVEL[level], look)} ${line}` : `    ${line}`,
  );
  if (action === undefined) return words;
  const remedy = wrap(cleanText(action), look.columns - 6);
  return [...words, ...remedy.map((line, index) => paint('muted', `    ${index === 0 ? '→' : ' '} ${line}`, look))];
}
