/** What is installed beside our own code: named, pinned, licensed, without scripts, and no more of it loaded than is used. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const readJson = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
const { dependencies, optionalDependencies, devDependencies, overrides } = readJson('package.json');
const runtime: Readonly<Record<string, string>> = { ...dependencies, ...optionalDependencies };

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}
const locked = Object.entries(readJson('package-lock.json').packages as Record<string, Locked>).filter(([path]) =>
  path.includes('node_modules/'),
);

/** By name and reason; there is none so far. */
const MAY_RUN_SCRIPTS: readonly string[] = [];
const PERMISSIVE =
  /^(MIT|MIT-0|MIT\/X11|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense|MPL-2\.0)$/;
/**
 * Their package.json says nothing in the field that npm reads. `buffers` and `png-js` say it nowhere in the package; they are
 * of blessed-contrib's tree and never loaded. The others are MIT by their files, and the last is the repository's own Node.
 */
const UNSAID = /\/(buffers|png-js|event-stream|memorystream|sparkline|term-canvas|node-bin-[\w-]+)$/;

interface Row {
  readonly name: string;
  readonly cells: readonly string[];
}

function rowsOfTable(): Row[] {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const section = page.slice(page.indexOf('## Packages'));
  return [...section.matchAll(/^\| `([^`]+)`[^|]*\|(.*)\|$/gm)].map(([, name = '', rest = '']) => ({
    name,
    cells: rest.split('|').map((cell) => cell.trim()),
  }));
}

describe('the packages at run time', () => {
  it('are those of docs/architecture.md, each with its reason, size, cost, licence and release', () => {
    const rows = rowsOfTable();
    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(runtime).toSorted());
    for (const { name, cells } of rows) {
      const [reason = '', size = '', cost = '', licence, release = ''] = cells;
      expect([name, reason.length > 10, size, cost !== '', release]).toEqual([
        name,
        true,
        expect.stringMatching(/^\d+(\.\d)? MB$/),
        true,
        expect.stringMatching(/^20\d\d(-\d\d)?$/),
      ]);
      const entry = locked.find(([path]) => path === `node_modules/${name}`)?.[1];
      expect([name, licence]).toEqual([name, entry?.license]);
    }
  });

  it('are pinned to one version each, which is the one in the lockfile', () => {
    for (const [name, version] of Object.entries({ ...runtime, ...devDependencies })) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect([name, locked.find(([path]) => path === `node_modules/${name}`)?.[1].version]).toEqual([name, version]);
    }
  });
});

describe('the lockfile', () => {
  const foreign = locked.filter(([, { link }]) => link !== true);

  it('has a checksum for everything, and nothing that comes from elsewhere than a registry', () => {
    expect(foreign.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
    const elsewhere = foreign.filter(([, { resolved = '' }]) => !/^(https:\/\/[^/]+\/.+\.tgz)?$/.test(resolved));
    expect(elsewhere.map(([path]) => path)).toEqual([]);
  });

  it('has no package that runs a script of its own when it is installed', () => {
    const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    expect(scripted.filter((path) => !MAY_RUN_SCRIPTS.includes(path))).toEqual([]);
  });

  it('has permissive licences only', () => {
    const others = foreign.filter(
      ([path, { license, dev }]) => dev !== true && !PERMISSIVE.test(license ?? '') && !UNSAID.test(path),
    );
    expect(others.map(([path, { license }]) => `${path} ${license}`)).toEqual([]);
  });

  it('has no version with a weakness that is known to us', () => {
    const version = (name: string) =>
      locked.filter(([path]) => path.endsWith(`node_modules/${name}`)).map(([, entry]) => entry.version ?? '');
    expect(overrides).toMatchObject({ xml2js: expect.any(String) });
    // Prototype pollution before 0.5.0, and before 4.17.21.
    for (const found of version('xml2js')) expect(Number(found.split('.')[1])).toBeGreaterThanOrEqual(5);
    for (const found of version('lodash')) expect(Number(found.split('.')[2])).toBeGreaterThanOrEqual(21);
  });
});

it('loads of the chart library the canvas alone, not what else it depends on', () => {
  const script = `
    await import('blessed-contrib/lib/widget/canvas.js');
    const { default: module } = await import('node:module');
    const files = Object.keys(module._cache).map((file) => file.split('node_modules/').at(-1).split('/')[0]);
    process.stdout.write(JSON.stringify([...new Set(files)].toSorted()));`;
  const loaded = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: ROOT, encoding: 'utf8' }),
  );
  expect(loaded).toEqual(
    [
      'blessed',
      'blessed-contrib',
      'bresenham',
      'drawille-blessed-contrib',
      'drawille-canvas-blessed-contrib',
      'gl-matrix',
      'x256',
    ].toSorted(),
  );
});
