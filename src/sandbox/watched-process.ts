/** Child processes that do not outlive this one, not even when it is killed with -9. */
import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Starts a program that ends, by SIGTERM, when the child's standard input is closed: the kernel closes it however we die.
 * The child is a shell that watches, in a process group of its own because Ctrl-C in the terminal is for us alone. It exits
 * with the program's status.
 */
export function spawnWatched(program: string, args: readonly string[], options: { cwd: string }): ChildProcess {
  return spawn('/bin/sh', ['-c', WATCH, 'sh', program, ...args], {
    cwd: options.cwd,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

/** A program that ends by itself ends the watch, so that no other process that got its id is ever signalled. */
const WATCH = `exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
( read -r _ <&3; kill -TERM $program ) 2>/dev/null &
watch=$!
exec 3<&-
wait $program
status=$?
kill $watch 2>/dev/null
exit $status`;
