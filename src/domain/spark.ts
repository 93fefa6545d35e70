/** A row of values as characters, one cell a value, with a look in ASCII (`ui/ascii.ts`). Pure and total. */

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One cell a value, between zero and the highest; null is a gap. Values that are not numbers count as gaps. */
export function sparkText(values: readonly (number | null)[]): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const top = Math.max(1, ...known);
  return values
    .map((value) => {
      if (value === null || !Number.isFinite(value)) return ' ';
      return LEVELS[value <= 0 ? 0 : Math.max(1, Math.min(7, Math.ceil((value / top) * 7)))] ?? ' ';
    })
    .join('');
}
