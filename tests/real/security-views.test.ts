import { describe, expect, it } from 'vitest';
import { VIEWS } from '../../src/ui/views.ts';
import { drawnView, HOSTILE_TEXTS } from '../support/hostile-views.ts';

describe.each(VIEWS.map(({ id }) => id))('the view %s', (view) => {
  it('shows each text of the corpus in every field and stays whole', async () => {
    for (const [index, text] of HOSTILE_TEXTS.entries()) {
      expect({ text, ...(await drawnView(view, text, index)) }).toEqual({ text, strangers: [], widths: [1] });
    }
  });
});
