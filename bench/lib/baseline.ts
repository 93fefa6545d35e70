/** The counted figures that were accepted, `bench/baseline.json`, and how those of a run compare with them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Figures = Readonly<Record<string, number>>;

export interface Change {
  readonly figure: string;
  /** What was accepted; null where it was not known. */
  readonly was: number | null;
  /** Null where it is not counted any more. */
  readonly is: number | null;
}

export interface Comparison {
  readonly risen: readonly Change[];
  readonly fallen: readonly Change[];
  readonly unknown: readonly Change[];
  readonly gone: readonly Change[];
}

const path = fileURLToPath(new URL('../baseline.json', import.meta.url));

export function readBaseline(): Figures {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Figures) : {};
}

export function writeBaseline(figures: Figures): void {
  const sorted = Object.fromEntries(Object.entries(figures).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** `isTaken` tells of which figures the run was to count: only those can be gone. */
export function compareFigures(baseline: Figures, counted: Figures, isTaken: (figure: string) => boolean): Comparison {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(counted)])].sort();
  const changes = names.map((figure) => ({ figure, was: baseline[figure] ?? null, is: counted[figure] ?? null }));
  const known = changes.filter(({ was, is }) => was !== null && is !== null);
  return {
    risen: known.filter(({ was, is }) => Number(is) > Number(was)),
    fallen: known.filter(({ was, is }) => Number(is) < Number(was)),
    unknown: changes.filter(({ was }) => was === null),
    gone: changes.filter(({ figure, is }) => is === null && isTaken(figure)),
  };
}

/** A line for each figure that changed, and what to do. */
export function describeComparison({ risen, fallen, unknown, gone }: Comparison, total: number): string {
  const lines = [
    ...risen.map(({ figure, was, is }) => `rose: ${figure} was ${was}, is ${is}`),
    ...unknown.map(({ figure, is }) => `new: ${figure} is ${is}`),
    ...gone.map(({ figure, was }) => `gone: ${figure} was ${was}, is not counted any more`),
    ...fallen.map(({ figure, was, is }) => `fell: ${figure} was ${was}, is ${is}`),
    `${total} figures counted: ${risen.length} rose, ${fallen.length} fell, ${unknown.length} new.`,
  ];
  const isWorse = risen.length + unknown.length > 0;
  const accept = 'npm run bench -- --quick --accept';
  if (isWorse) lines.push(`Find the cause, or, where it is meant, accept: ${accept}`);
  else if (fallen.length + gone.length > 0) lines.push(`So that they stay low, accept: ${accept}`);
  return lines.join('\n');
}
