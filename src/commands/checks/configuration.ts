/** Doctor: which variables are set, under which name, and which look like a mistake. Values of secrets are never shown. */
import type { Config, Variables } from '../../config.ts';
import { nameInUse } from '../../config.ts';
import { VARIABLE_NAMES, VARIABLES, variable } from '../../config-variables.ts';
import type { Check } from './check.ts';

/** Variables of other programs that begin like ours are no mistake; only what is nearly one of ours is. */
const NEAR = 2;

export function checkConfiguration(config: Config, variables: Variables): Check[] {
  const set = VARIABLE_NAMES.map((name) => nameInUse(name, variables)).filter((name) => isSet(variables[name]));
  const { name, isSandbox } = config.environment;
  return [
    { name: 'environment', state: 'ok', detail: isSandbox ? `${name} (nothing here is real)` : name },
    { name: 'variables', state: 'ok', detail: set.length === 0 ? 'none set' : `${set.join(', ')} set and valid` },
    ...plainHttp(config),
    ...misspelt(variables),
    ...(config.readOnly ? [readOnly()] : []),
  ];
}

export function problemChecks(problems: readonly string[]): Check[] {
  return problems.map((detail) => ({ name: 'variables', state: 'failed', detail }));
}

function readOnly(): Check {
  return { name: 'read-only', state: 'ok', detail: 'EMAIL_OPS_READ_ONLY is set: no action changes anything' };
}

/** A token over plain HTTP is everybody's. Loopback is nobody's but ours. */
function plainHttp({ redis, supabase, qstash }: Config): Check[] {
  const addresses = [redis?.kind === 'rest' ? redis.url : null, supabase?.url, qstash?.url];
  const open = addresses.filter((url) => url?.startsWith('http:') && !/^http:\/\/(127\.|localhost|\[::1\])/.test(url));
  return open.map((url) => ({
    name: 'transport',
    state: 'warning',
    detail: `${url} is not encrypted: the token can be read on the way`,
    remedy: 'Use its https:// address.',
  }));
}

function misspelt(variables: Variables): Check[] {
  const known = new Set(VARIABLE_NAMES.flatMap((name) => [name as string, ...(variable(name).aliases ?? [])]));
  const candidates = Object.keys(variables).filter((name) => isSet(variables[name]) && !known.has(name));
  return candidates.flatMap((name) => {
    const meant = Object.keys(VARIABLES).find((each) => each.length > 6 && distance(each, name, NEAR) <= NEAR);
    if (meant === undefined || isSet(variables[meant])) return [];
    return [
      { name: 'spelling', state: 'warning', detail: `${name} is not read`, remedy: `Did you mean ${meant}?` } as const,
    ];
  });
}

function isSet(value: string | undefined): boolean {
  return (value ?? '').trim() !== '';
}

/** Levenshtein distance, or something over `limit` where it is more. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit + 1;
}
