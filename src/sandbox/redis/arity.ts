/** How many words a command takes, its name included; negative: at least so many. As in Redis's own table. */
export type Arity = number;

export function fitsArity(words: number, arity: Arity): boolean {
  return arity < 0 ? words >= -arity : words === arity;
}
