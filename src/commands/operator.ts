/** Who is at this terminal: the name that a pause and the audit list carry. */
import { hostname, userInfo } from 'node:os';
import type { Variables } from '../config.ts';

export interface Operator {
  readonly name: string;
  readonly host: string;
}

/** Behind sudo it is the person, not root. */
export function operatorOf(environment: Variables): Operator {
  const names = [environment.SUDO_USER, environment.USER, environment.LOGNAME];
  return { name: names.find((name) => (name ?? '') !== '') ?? accountName(), host: hostname() };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a container's user without an entry in passwd
  }
}
