/** Finding the real servers that some tests need. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` on the PATH or in `folders`, or null. */
export function findBinary(names: readonly string[], folders: readonly string[] = []): string | null {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)];
  for (const name of names) {
    for (const place of places) if (existsSync(join(place, name))) return join(place, name);
  }
  return null;
}

/** The folder of the newest PostgreSQL that has a server, as Debian lays it out, or one on the PATH; or null. */
export function findPostgresFolder(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const found = findBinary(
    ['initdb'],
    versions.map((version) => join(debian, version, 'bin')),
  );
  return found === null ? null : join(found, '..');
}

/**
 * True when a test that needs a real server must be skipped because there is none. With `CI=true` a missing server is an
 * error instead: there the test has to run.
 */
export function isMissing(server: string, binary: string | null): boolean {
  if (binary !== null) return false;
  if (process.env.CI === 'true') throw new Error(`${server} is not installed, and CI needs it. .ci/run installs it.`);
  return true;
}
