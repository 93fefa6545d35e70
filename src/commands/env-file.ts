/** Variables in a `.env` file: changed in their place, everything else kept, readable by its owner only. */
import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { CommandError } from './command.ts';

/** Empty where there is no file. @throws CommandError when it is there and cannot be read */
export function readEnvFile(folder: string): string {
  const path = join(folder, '.env');
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT') return '';
    throw new CommandError(`${path} cannot be read (${code}): make it a readable file, or remove it`);
  }
}

/** At once or not at all: a crash leaves the old file. Its mode is 0600 afterwards, whatever it was. */
export async function writeEnvFile(folder: string, text: string): Promise<string> {
  const path = join(folder, '.env');
  const temporary = `${path}.${process.pid}.new`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return path;
  } catch (error) {
    await rm(temporary, { force: true });
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CommandError(`${path} cannot be written (${code}): make the folder writable, or start in another one`);
  }
}

/**
 * `text` with these variables. A null is taken out. @throws CommandError where the file is so unusual that something else
 * would change as well
 */
export function withVariables(text: string, changes: Readonly<Record<string, string | null>>): string {
  const before = parseEnv(text);
  const rest = new Map(Object.entries(changes));
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const kept = lines.flatMap((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? '';
    if (!(name in changes)) return [line];
    const value = rest.get(name) ?? null;
    rest.delete(name);
    return value === null ? [] : [`${name}=${quoted(value)}`];
  });
  const added = [...rest].flatMap(([name, value]) => (value === null ? [] : [`${name}=${quoted(value)}`]));
  const result = `${[...kept, ...added].join('\n')}\n`;
  if (!isSame(parseEnv(result), { ...before, ...changes })) {
    throw new CommandError('.env has values over several lines that cannot be kept: move it away, and start again');
  }
  return result;
}

function quoted(value: string): string {
  if (/^[\w.:/@=+%~-]*$/.test(value)) return value;
  const quote = ["'", '"', '`'].find((each) => !value.includes(each)) ?? "'";
  return `${quote}${value}${quote}`;
}

function isSame(
  found: Readonly<Record<string, string | undefined>>,
  expected: Readonly<Record<string, string | null | undefined>>,
) {
  const names = Object.keys(expected).filter((name) => expected[name] !== null);
  return names.length === Object.keys(found).length && names.every((name) => found[name] === expected[name]);
}
