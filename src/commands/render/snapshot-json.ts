/** What `--json` prints of a snapshot: the verdict before the parts, times in ISO, addresses masked (docs/json.md). */
import { jsonText, toJson } from '../../domain/json.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { maskEmailsWithin } from '../../domain/text.ts';
import { EXIT_CODE_BY_LEVEL, type Verdict } from '../../domain/verdict.ts';

/** One line of JSON without its line end. */
export function snapshotJson(snapshot: Snapshot, verdict: Verdict): string {
  const { version, ...rest } = maskEmailsWithin(toJson(snapshot)) as Record<string, unknown>;
  return jsonText({ version, verdict: { ...verdict, exitCode: EXIT_CODE_BY_LEVEL[verdict.level] }, ...rest });
}
