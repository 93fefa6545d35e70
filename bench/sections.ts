/** The sections in the order of RESULTS.md. Each is loaded when it is run. */
import type { Counted, Section } from './section.ts';

export interface SectionEntry {
  readonly name: string;
  readonly section?: () => Promise<{ readonly section: Section }>;
  /** What `--quick` counts of it. */
  readonly counted?: () => Promise<{ readonly counted: Counted }>;
}

export const SECTIONS: readonly SectionEntry[] = [
  {
    name: 'draining',
    section: () => import('./draining/section.ts'),
    counted: () => import('./draining/counted.ts'),
  },
  { name: 'recovery', section: () => import('./recovery/section.ts') },
  {
    name: 'screen',
    section: () => import('./screen/section.ts'),
    counted: () => import('./screen/counted.ts'),
  },
  {
    name: 'cycle',
    section: () => import('./cycle/section.ts'),
    counted: () => import('./cycle/counted.ts'),
  },
  {
    name: 'cost',
    section: () => import('./cost/section.ts'),
    counted: () => import('./cost/counted.ts'),
  },
  {
    name: 'startup',
    section: () => import('./startup/section.ts'),
    counted: () => import('./startup/counted.ts'),
  },
];
