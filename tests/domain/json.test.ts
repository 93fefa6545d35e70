import { expect, it } from 'vitest';
import { toJson } from '../../src/domain/json.ts';

it('gives times in ISO and names to match, at any depth', () => {
  expect(
    toJson({
      takenAtEpochMs: 0,
      state: 'ok',
      part: { atEpochMs: 1_000, rows: [{ lockedUntilEpochMs: null, attempts: 2 }] },
    }),
  ).toEqual({
    takenAt: '1970-01-01T00:00:00.000Z',
    state: 'ok',
    part: { at: '1970-01-01T00:00:01.000Z', rows: [{ lockedUntil: null, attempts: 2 }] },
  });
});

it('turns a time that is none into null', () => {
  expect(toJson({ atEpochMs: Number.NaN, lastAtEpochMs: 1e20 })).toEqual({ at: null, lastAt: null });
});
