/** The verdict in the words of the banner. */
import type { Verdict, VerdictReason } from '../domain/verdict.ts';

/** The reasons of the verdict's own level, in a row; what is well needs none. */
export function verdictReasons({ level, reasons }: Verdict): readonly string[] {
  if (level === 'ok') return ['email is flowing'];
  // The line below says who paused, why and until when.
  const brief = (reason: VerdictReason) =>
    reason.code === 'paused' ? 'queue paused' : reason.code === 'pausing' ? 'queue is being paused' : reason.text;
  return reasons.filter((reason) => reason.level === level).map(brief);
}
