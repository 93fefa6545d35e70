/** One sandbox a folder: a lock that the operating system drops when its holder dies, however it dies. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Thrown when another process holds the folder. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(`Another sandbox already runs on ${folder}.`);
    this.name = 'FolderInUse';
  }
}

/**
 * Takes the folder for this process until `[Symbol.dispose]()` or death. SQLite's file lock is used because Node has no
 * flock of its own, and a pid file is a guess after kill -9.
 * @throws FolderInUse at once when it is taken.
 */
export function lockFolder(folder: string): Disposable {
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('begin exclusive');
  } catch (cause) {
    database.close();
    throw Object.assign(new FolderInUse(folder), { cause });
  }
  return { [Symbol.dispose]: () => database.close() };
}
