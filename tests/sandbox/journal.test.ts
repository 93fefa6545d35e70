import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/sandbox/journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = () => join(folder, 'inner', 'journal.jsonl');
const asIs = (value: unknown) => value;

describe('journal', () => {
  test('gives back what was appended, in order, whatever it was', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (entries) => {
        rmSync(path(), { force: true });
        const journal = openJournal(path(), asIs);
        for (const entry of entries) journal.append(entry);
        journal.close();
        const again = openJournal(path(), asIs);
        expect(again.replayed).toEqual(JSON.parse(JSON.stringify(entries)));
        again.close();
      }),
      { numRuns: 50 },
    );
  });

  test('cuts off the torn last line that a kill leaves and goes on after the intact ones', () => {
    const journal = openJournal(path(), asIs);
    journal.append({ n: 1 });
    journal.close();
    appendFileSync(path(), '{"n":2,"tor');
    const again = openJournal(path(), asIs);
    expect(again.replayed).toEqual([{ n: 1 }]);
    again.append({ n: 3 });
    again.close();
    expect(readFileSync(path(), 'utf8')).toBe('{"n":1}\n{"n":3}\n');
  });

  test('refuses to start with a hole in the middle and says how to begin anew', () => {
    openJournal(path(), asIs).close();
    appendFileSync(path(), '{"n":1}\nnot json\n{"n":3}\n');
    expect(() => openJournal(path(), asIs)).toThrow(/line 2 is unreadable.*--fresh/);
  });

  test('a rewrite replaces everything, and later entries follow it', () => {
    const journal = openJournal(path(), asIs);
    journal.append('old');
    journal.rewrite(['kept']);
    journal.append('new');
    journal.close();
    const again = openJournal(path(), asIs);
    expect(again.replayed).toEqual(['kept', 'new']);
    again.close();
  });

  test('is readable by its owner only', () => {
    openJournal(path(), asIs).close();
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'inner')).mode & 0o777).toBe(0o700);
  });
});
