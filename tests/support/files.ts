/** What a program has left on the disk. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below `folder` with its text. */
export function filesBelow(folder: string): readonly { readonly path: string; readonly text: string }[] {
  return entriesBelow(folder)
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path, text: readFileSync(path, 'latin1') }));
}

/** Files, folders and sockets below `folder` that anybody but their owner could read or write, with their modes. */
export function openToOthers(folder: string): readonly string[] {
  const modes = entriesBelow(folder).map((path) => ({ path, mode: statSync(path).mode & 0o777 }));
  return modes.filter(({ mode }) => (mode & 0o077) !== 0).map(({ path, mode }) => `${mode.toString(8)} ${path}`);
}

function entriesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}
