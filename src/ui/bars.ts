/** Bars made of characters: one cell a character, with a look in ASCII (`ascii.ts`). Pure and total. */

/** Exactly `cells` wide, filled to `percent` (0–100). Anything above nothing shows; only what is full looks full. */
export function barText(percent: number, cells: number): string {
  const share = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0)) / 100;
  if (cells <= 0) return '';
  const filled = share === 0 ? 0 : Math.max(1, Math.min(cells - (share < 1 ? 1 : 0), Math.round(share * cells)));
  return '█'.repeat(filled) + '░'.repeat(cells - filled);
}
