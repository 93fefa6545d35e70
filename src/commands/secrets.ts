/**
 * Takes the values of secrets out of text for a terminal or a log. Our own messages carry none; this is the net below them,
 * for what a library puts into the errors that `DEBUG` prints whole.
 */

import { readEnvironment, type Variables } from '../config.ts';
import { isSecret, VARIABLE_NAMES, variable } from '../config-variables.ts';

/** Shorter ones would be found in ordinary words. */
const SHORTEST = 6;

/** `text` with `***` for every secret of `variables`, and of `.env` below them, and for the passwords within addresses. */
export function withoutSecrets(text: string, variables: Variables): string {
  return secretsIn(readEnvironment(process.cwd(), variables).environment).reduce(
    (known, secret) => known.replaceAll(secret, '***'),
    text,
  );
}

/** The longest first, so that an address goes whole where it stands whole. */
function secretsIn(variables: Variables): readonly string[] {
  const names = VARIABLE_NAMES.filter(isSecret).flatMap((name) => [name, ...(variable(name).aliases ?? [])]);
  const values = names.flatMap((name) => formsOf((variables[name] ?? '').trim()));
  return values.filter((value) => value.length >= SHORTEST).sort((a, b) => b.length - a.length);
}

function formsOf(value: string): readonly string[] {
  const password = URL.canParse(value) ? new URL(value).password : '';
  return [value, encodeURIComponent(value), password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
