import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openTable } from '../../../src/sandbox/qstash/table.ts';

const schema = z.object({ id: z.string(), value: z.number() });

test('a table is what a map would be, also after it was opened again, and its journal stays small', () => {
  const step = fc.oneof(
    fc.record({ put: fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.nat() }) }),
    fc.record({ drop: fc.constantFrom('a', 'b', 'c', 'd') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (steps, times) => {
      const folder = mkdtempSync(join(tmpdir(), 'table-'));
      const open = () => openTable(join(folder, 'table.jsonl'), schema, (record) => record.id);
      let table = open();
      const model = new Map<string, z.infer<typeof schema>>();
      for (let round = 0; round < times; round++) {
        for (const what of steps) {
          if ('put' in what) {
            table.put(what.put);
            model.set(what.put.id, what.put);
          } else expect(table.delete(what.drop)).toBe(model.delete(what.drop));
        }
      }
      for (let n = 0; n < 2; n++) {
        expect(table.all()).toEqual([...model.values()]);
        table.close();
        table = open();
      }
      table.close();
      expect(readFileSync(join(folder, 'table.jsonl'), 'utf8').split('\n').length).toBeLessThan(1_030);
      rmSync(folder, { recursive: true, force: true });
    }),
    { numRuns: 40 },
  );
});
