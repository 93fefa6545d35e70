/** What a measurement is: a section of RESULTS.md, which takes minutes and tells times, or counted figures, which are the same anywhere. */

export interface SectionResult {
  /** What stands below the section's heading. Headings within it begin at the third level. */
  readonly markdown: string;
}

export interface Section {
  /** As on the command line: `npm run bench -- draining`. */
  readonly name: string;
  /** Its heading in RESULTS.md. */
  readonly title: string;
  /** Packages of bench/package.json, or programs of Debian packages of the same name. */
  readonly needs?: readonly string[];
  /** `report` says how far it is, one line at a time. */
  run(report: (line: string) => void): Promise<SectionResult>;
}

/** Counted, never timed: names with figures that are the same on every machine. Less is better. */
export interface Counted {
  readonly name: string;
  run(): Promise<Readonly<Record<string, number>>>;
}
