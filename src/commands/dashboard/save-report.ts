/** Writes a report where the operator looks for it: into the working folder, or into the home folder where that is closed. */
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Answers the path. Never overwrites; readable by its owner only. Throws where neither folder can be written. */
export async function saveReport(markdown: string, nowEpochMs: number): Promise<string> {
  const stamp = new Date(nowEpochMs).toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const name = `email-ops-report-${stamp}.md`;
  const here = join(process.cwd(), name);
  try {
    await writeFile(here, markdown, { flag: 'wx', mode: 0o600 });
    return here;
  } catch (error) {
    const there = join(homedir(), name);
    if (there === here) throw error;
    await writeFile(there, markdown, { flag: 'wx', mode: 0o600 });
    return there;
  }
}
