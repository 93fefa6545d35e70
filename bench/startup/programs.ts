/** The programs that are started, as they are published: the built `dist/`, against an empty Node program. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'dist/email-ops.cjs');
const COUNTER = fileURLToPath(new URL('./count-modules.mjs', import.meta.url));

export interface Loaded {
  /** Files of ours, and of packages. Node's own are in every program. */
  readonly ours: number;
  readonly packages: number;
  readonly bytes: number;
  readonly packageBytes: number;
  readonly peakBytes: number;
}

/** Null stands for the empty program. */
export type Program = readonly string[] | null;

export interface Starter extends Disposable {
  /** Runs it once; resolves to how long that took, in ms. `isFirst`: as if for the first time on this machine. */
  time(program: Program, options?: { readonly isFirst?: boolean }): Promise<number>;
  /** Runs it once more to see what it loads. */
  load(program: Program): Promise<Loaded>;
}

/** Builds what is measured. */
export function build(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm run build failed: ${stdout}${stderr}`);
}

/** Each program gets the environment of a user with a home of its own, and `env` besides. */
export function createStarter(env: Readonly<Record<string, string>>): Starter {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-startup-'));
  const empty = join(folder, 'empty.cjs');
  writeFileSync(empty, '');
  const { PATH = '' } = process.env;
  const environment = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), TZ: 'UTC', LANG: 'C.UTF-8', ...env };

  const run = async (program: Program, flags: readonly string[] = [], added: Record<string, string> = {}) => {
    const began = performance.now();
    const child = spawn(process.execPath, [...flags, ...(program === null ? [empty] : [BIN, ...program])], {
      cwd: folder,
      env: { ...environment, ...added },
      stdio: 'ignore',
      timeout: 30_000,
    });
    const [code, signal] = await once(child, 'exit');
    const tookMs = performance.now() - began;
    // 0 to 3 are what `status` has to say.
    if (signal !== null || code > 3) throw new Error(`${program?.join(' ')} ended with ${signal ?? code}.`);
    return tookMs;
  };
  const counted = async (program: Program, added: Record<string, string> = {}) => {
    const to = join(folder, 'loaded.json');
    await run(program, ['--import', COUNTER], { ...added, COUNT_TO: to });
    return JSON.parse(readFileSync(to, 'utf8')) as { modules: { path: string; bytes: number }[]; peakBytes: number };
  };
  return {
    time: (program, { isFirst = false } = {}) => {
      if (isFirst) rmSync(join(folder, 'cache'), { recursive: true, force: true });
      return run(program);
    },
    load: async (program) => {
      const { peakBytes } = await counted(program, { COUNT_PEAK: '1' });
      const modules = (await counted(program)).modules.filter(({ path }) => path !== empty);
      const packages = modules.filter(({ path }) => path.includes('/node_modules/'));
      const sum = (files: typeof modules) => files.reduce((total, { bytes }) => total + bytes, 0);
      return {
        ours: modules.length - packages.length,
        packages: packages.length,
        bytes: sum(modules),
        packageBytes: sum(packages),
        peakBytes,
      };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
