/** The peers to compare with: packages of bench/package.json, installed when a section needs one, and programs of the machine. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinary } from '../../tests/support/real-server.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Without their install scripts, which none of them needs. Installs the packages when one of `names` is among them and they are missing or older than the lockfile. */
export function installPeers(names: readonly string[]): void {
  if (!names.some(isPackage) || isInstalled()) return;
  process.stderr.write('bench: installing the peers of bench/package.json …\n');
  const result = spawnSync(
    'npm',
    ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      stdio: ['ignore', 2, 2],
    },
  );
  if (result.status !== 0) throw new Error('npm ci --prefix bench failed; the reason stands above');
}

/** Those of `names` that are neither installed packages nor programs on the PATH. */
export function findMissing(names: readonly string[]): string[] {
  return names.filter((name) => !isPackage(name) && findBinary([name]) === null);
}

/** The version that bench/package.json asks for, exactly. */
export function peerVersion(name: string): string {
  return dependencies()[name] ?? 'unknown';
}

function isPackage(name: string): boolean {
  return name in dependencies();
}

function dependencies(): Readonly<Record<string, string>> {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {};
}

function isInstalled(): boolean {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}
