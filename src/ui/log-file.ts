/** Where everything goes that libraries and workers print while the dashboard has the screen. Readable by its owner only. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MOST_BYTES = 1_000_000;

/** Never throws: a full disk must not end the dashboard. Returns the function that appends one line. */
export function createLogFile(path: string): (line: string) => void {
  let isUsable = true;
  let isReady = false;
  return (line) => {
    if (!isUsable) return;
    try {
      if (!isReady) prepare(path);
      isReady = true;
      appendFileSync(path, `${line}\n`, { mode: 0o600 });
    } catch {
      isUsable = false;
    }
  };
}

function prepare(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MOST_BYTES) renameSync(path, `${path}.1`);
}
