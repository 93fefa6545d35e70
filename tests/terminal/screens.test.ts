import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { STORED_SCREENS } from './stored-screens.ts';

const folder = new URL('screens/', import.meta.url);

describe('the stored screens', () => {
  it.each(STORED_SCREENS.map((screen) => [screen.file, screen] as const))(
    '%s is what is drawn',
    async (file, screen) => {
      // When this is meant: npm run screens, and look at the difference.
      expect(await screen.render()).toBe(readFileSync(new URL(file, folder), 'utf8'));
    },
  );

  it('are all still drawn', () => {
    expect(readdirSync(folder).sort()).toEqual(STORED_SCREENS.map(({ file }) => file).sort());
  });
});
