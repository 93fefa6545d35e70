/** Where everything goes that libraries and workers print while the dashboard has the screen. Readable by its owner only. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MOST_BYTES = 1_000_000;

/** Never throws: a full disk must not end the dashboard. Returns the function that appends one line. */
export function createLogFile(path: string): (line: string) => void {
  let isUsable = true;
  let bytes: number | null = null;
  return (line) => {
    if (!isUsable) return;
    try {
      bytes ??= prepare(path);
      if (bytes > MOST_BYTES) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
      bytes += Buffer.byteLength(line) + 1;
    } catch {
      isUsable = false;
    }
  };
}

/** How large it is. */
function prepare(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
