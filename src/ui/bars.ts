/** Bars and sparklines made of characters: one cell a character, with a look in ASCII (`ascii.ts`). Pure and total. */

/** Exactly `cells` wide, filled to `percent` (0–100). Anything above nothing shows; only what is full looks full. */
export function barText(percent: number, cells: number): string {
  const share = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0)) / 100;
  if (cells <= 0) return '';
  const filled = share === 0 ? 0 : Math.max(1, Math.min(cells - (share < 1 ? 1 : 0), Math.round(share * cells)));
  return '█'.repeat(filled) + '░'.repeat(cells - filled);
}

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
