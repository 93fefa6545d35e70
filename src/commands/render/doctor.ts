/** What `doctor` found, as text: one line a check, its remedy below where it is not well. Pure. */
import { formatLatency, plural } from '../../domain/format.ts';
import { cleanText, maskEmailsIn } from '../../domain/text.ts';
import { wrap } from '../../domain/width.ts';
import type { Check, CheckState } from '../checks/check.ts';
import { type Look, paint, type Role } from './look.ts';

const MARK: Readonly<Record<CheckState, string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '·' };
const ROLE: Readonly<Record<CheckState, Role>> = { ok: 'ok', warning: 'warning', failed: 'critical', skipped: 'muted' };
const NAME_WIDTH = 23;

export function groupLines(title: string, checks: readonly Check[], look: Look): string[] {
  return [paint('heading', title, look), ...checks.flatMap((check) => checkLines(check, look))];
}

export function summaryLine(checks: readonly Check[], look: Look): string {
  const failed = checks.filter(({ state }) => state === 'failed').length;
  const warnings = checks.filter(({ state }) => state === 'warning').length;
  if (failed + warnings === 0) return paint('ok', 'Everything that was checked is well.', look);
  const text = `${plural(failed, 'fault')}, ${plural(warnings, 'warning')}.`;
  return paint(failed > 0 ? 'critical' : 'warning', text, look);
}

function checkLines({ name, state, detail, latencyMs, remedy }: Check, look: Look): string[] {
  const took = latencyMs === undefined ? '' : ` (${formatLatency(latencyMs)})`;
  const text = maskEmailsIn(cleanText(detail)) + took;
  const label = cleanText(name, NAME_WIDTH).padEnd(NAME_WIDTH);
  const indent = ' '.repeat(NAME_WIDTH + 5);
  const body = wrap(text, look.columns - indent.length).map((line, index) =>
    index === 0 ? `  ${paint(ROLE[state], MARK[state], look)} ${label} ${line}` : indent + line,
  );
  if (remedy === undefined || state === 'ok') return body;
  const advice = wrap(cleanText(remedy), look.columns - indent.length - 2);
  return [...body, ...advice.map((line, index) => `${indent}${index === 0 ? '→ ' : '  '}${line}`)];
}
