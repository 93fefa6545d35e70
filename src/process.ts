/** What the process is set to before the program is loaded. Nothing of ours is imported here. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Logs, reports, the sandbox's data, and what its children write are their owner's alone. What Node compiled is kept, in the
 * user's own cache folder, because /tmp is everybody's: the next start takes a third less time and 20 MB less memory. Where it
 * cannot be written, nothing is kept.
 */
export function prepareProcess({ XDG_CACHE_HOME }: Readonly<Record<string, string | undefined>>): void {
  process.umask(0o077);
  const root = XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache');
  enableCompileCache(join(root, 'email-ops', 'compiled'));
}
