/** Holds the import arrows of DESIGN §4: a wrong import fails here before it is discussed. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  readonly from: string;
  /** A file below src/, or a package. */
  readonly to: string;
  readonly kind: 'static' | 'dynamic' | 'type';
}

const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ts$/.test(file));
const IMPORTS = FILES.flatMap(importsOf);

/** What the files of a folder may import from src/. Type imports count as well. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  data: ['data', 'domain'],
  workers: ['workers', 'data', 'domain'],
  ui: ['ui', 'domain'],
  'email-function': ['email-function', 'workers', 'data', 'domain'],
  sandbox: ['sandbox', 'email-function', 'workers', 'data', 'domain'],
  commands: ['commands', 'config.ts', 'config-variables.ts', 'workers', 'data', 'domain'],
};

describe('the import arrows', () => {
  it.each(Object.entries(ARROWS))('%s imports from src only what it may', (folder, allowed) => {
    const wrong = IMPORTS.filter(({ from, to }) => folderOf(from) === folder && to.endsWith('.ts'))
      .filter(({ to }) => !allowed.includes(folderOf(to)))
      .filter((each) => !isException(each));
    expect(wrong.map(describeImport)).toEqual([]);
  });

  it('are drawn for every folder', () => {
    const folders = new Set(FILES.filter((file) => file.includes('/')).map(folderOf));
    expect([...folders].filter((folder) => ARROWS[folder] === undefined)).toEqual([]);
  });

  it('the endpoints for other servers load no screen, no sandbox and no HTTP server', () => {
    const reached = closure('endpoints.ts', ['static', 'dynamic']);
    expect(
      reached.filter((name) => /^(ui|sandbox|commands)\/|^(@?hono|blessed|nodemailer|@supabase\/lite)/.test(name)),
    ).toEqual([]);
  });

  it('cli.ts alone imports commands', () => {
    const wrong = IMPORTS.filter(({ from, to }) => folderOf(to) === 'commands' && folderOf(from) !== 'commands');
    expect([...new Set(wrong.map(({ from }) => from))]).toEqual(['cli.ts']);
  });

  it('domain is pure: it imports nothing from outside', () => {
    const outside = IMPORTS.filter(({ from, to }) => folderOf(from) === 'domain' && !to.endsWith('.ts'));
    expect(outside.map(describeImport)).toEqual([]);
  });

  it('the screen library is imported only where the screen is touched', () => {
    const users = IMPORTS.filter(({ to }) => /blessed/.test(to)).map(({ from }) => from);
    expect(users.filter((file) => !/^ui\/(screen|panels\/.+-shell|shells\/.+)\.ts$/.test(file))).toEqual([]);
  });

  it('the deployed email function reaches nothing that only Node has; its import map pins what it needs', () => {
    const files = closure('email-function/deployed.ts', ['static', 'dynamic']);
    const packages = files.filter((name) => !name.endsWith('.ts'));
    expect(packages.filter((name) => name.startsWith('node:'))).toEqual([]);
    const nodeOnly = files
      .filter((name) => name.endsWith('.ts'))
      .filter((file) =>
        /\bBuffer\.|\bprocess\.|\bsetImmediate\(|\.unref\(/.test(readFileSync(join(SRC, file), 'utf8')),
      );
    expect(nodeOnly).toEqual([]);
    const read = (path: string) => JSON.parse(readFileSync(join(SRC, '..', path), 'utf8'));
    const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
    const { imports } = read('supabase/functions/email/deno.json') as { imports: Record<string, string> };
    expect(imports).toEqual(Object.fromEntries(packages.map((name) => [name, `npm:${name}@${dependencies[name]}`])));
  });

  it('no two files need each other to load', () => {
    expect(cycles(IMPORTS.filter(({ kind, to }) => kind === 'static' && to.endsWith('.ts')))).toEqual([]);
  });

  it('help and errors load no SDK, no screen and no schema: they are there at once', () => {
    const reached = closure('cli.ts', ['static']);
    expect(reached.filter((name) => /^(@upstash|@supabase|blessed|ioredis|zod|croner)/.test(name))).toEqual([]);
  });

  it('the console never loads what belongs to the sandbox and to serve', () => {
    const heavy = /^(@electric-sql\/pglite|@supabase\/lite|hono|@hono\/node-server|nodemailer)(\/|$)/;
    for (const entry of [
      'cli.ts',
      'commands/watch.ts',
      'commands/status.ts',
      'commands/doctor.ts',
      'commands/queue.ts',
    ]) {
      const reached = closure(entry, entry === 'cli.ts' ? ['static'] : ['static', 'dynamic']);
      expect(reached.filter((name) => heavy.test(name))).toEqual([]);
      expect(reached).not.toContain('sandbox/main.ts');
    }
  });
});

/** The console starts the sandbox through its launcher, and opens the dashboard, when they are asked for. */
function isException({ from, to, kind }: Import): boolean {
  if (folderOf(from) !== 'commands') return false;
  return (to === 'sandbox/launcher.ts' && kind !== 'static') || (folderOf(to) === 'ui' && kind !== 'static');
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*\*?).*$/gm, '');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"];/gm);
  const calls = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [
    ...[...statements].map(([, type, target = '']) => ({
      from: file,
      to: resolve(file, target),
      kind: type === undefined ? ('static' as const) : ('type' as const),
    })),
    ...[...calls].map(([, target = '']) => ({ from: file, to: resolve(file, target), kind: 'dynamic' as const })),
  ];
}

function resolve(file: string, target: string): string {
  return target.startsWith('.') ? relative(SRC, join(SRC, dirname(file), target)) : target;
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function closure(entry: string, kinds: readonly Import['kind'][]): string[] {
  const reached = new Set([entry]);
  for (const file of reached) {
    for (const each of IMPORTS) if (each.from === file && kinds.includes(each.kind)) reached.add(each.to);
  }
  return [...reached];
}

function cycles(imports: readonly Import[]): string[] {
  const byFile = Map.groupBy(imports, ({ from }) => from);
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) found.add([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const { to } of byFile.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of byFile.keys()) visit(file, []);
  return [...found];
}

function describeImport({ from, to, kind }: Import): string {
  return `${from} → ${to} (${kind})`;
}
