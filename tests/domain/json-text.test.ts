import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../src/domain/json.ts';
import { CORPUS, dangersIn } from '../support/hostile-text.ts';

describe('JSON for a terminal', () => {
  it('reads back as what it was, and holds nothing that a terminal obeys or hides', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...CORPUS));
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text), fc.integer())), (value) => {
        const json = jsonText(value);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(dangersIn(json)).toEqual([]);
        expect(json).not.toContain('\x1b');
        expect(json.split('\n')).toHaveLength(1);
      }),
    );
  });
});
