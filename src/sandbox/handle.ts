/** Where a sandbox lives and how a running one is found: its folder and the handle file that it leaves there. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';

const handleSchema = z.object({
  pid: z.int().positive(),
  url: z.string(),
  scenario: z.string(),
  speed: z.number(),
  startedAt: z.string(),
  controlToken: z.string(),
  /** Environment variables that point any program at this sandbox. */
  environment: z.record(z.string(), z.string()),
});

export type SandboxHandle = z.infer<typeof handleSchema>;

/** The user's state folder for this program: `$XDG_STATE_HOME/email-ops`, by default `~/.local/state/email-ops`. */
export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment.XDG_STATE_HOME;
  // The XDG specification: a relative path in it is invalid and ignored.
  const root = base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'state');
  return join(root, 'email-ops');
}

export function sandboxFolder(environment: NodeJS.ProcessEnv): string {
  return join(stateFolder(environment), 'sandbox');
}

/** The handle of the sandbox that last started in this folder, running or not; null when there is none to read. */
export function readHandle(folder: string): SandboxHandle | null {
  const path = handlePath(folder);
  if (!existsSync(path)) return null;
  try {
    return handleSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Half-written or of another version: the same as none, a new one is written at the next start.
    return null;
  }
}

/** Written in one step and readable by the user only: it holds the tokens of this start. */
export function writeHandle(folder: string, handle: SandboxHandle): void {
  writeFileSync(`${handlePath(folder)}.next`, `${JSON.stringify(handle, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${handlePath(folder)}.next`, handlePath(folder));
}

export function removeHandle(folder: string): void {
  rmSync(handlePath(folder), { force: true });
}

function handlePath(folder: string): string {
  return join(folder, 'handle.json');
}
