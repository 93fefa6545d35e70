/** How long and how large is measured. */
import type { Size } from '../../src/ui/layout.ts';

export const SIZES: readonly Size[] = [
  { columns: 120, rows: 36 },
  { columns: 80, rows: 24 },
];

/** From the environment, for trying: shorter windows, fewer starts. */
export const SETTINGS = {
  intervalSeconds: 2,
  warmSeconds: 5,
  windowSeconds: Number(process.env.BENCH_SCREEN_SECONDS ?? 20),
  paints: Number(process.env.BENCH_SCREEN_PAINTS ?? 5),
  /** How much faster than life the incident happens, and how long it has gone on when it is looked at. */
  incidentSpeed: 6,
  incidentSeconds: 20,
} as const;
