/** What `--quick` counts of the screen: bytes of given pictures one after the other, and what an ideal diff of them takes. */
import type { Counted } from '../section.ts';
import { allViews, firstPaint, SCENARIOS, type ScenarioName, type Sent, tenMinutes } from './sequence.ts';
import { SIZES } from './settings.ts';

export const counted: Counted = {
  name: 'screen',
  run: async () => {
    const figures: Record<string, number> = {};
    for (const size of SIZES) {
      const at = `${size.columns}x${size.rows}`;
      for (const name of Object.keys(SCENARIOS) as ScenarioName[]) {
        const sent = await tenMinutes(name, size);
        figures[`${name}-${at}.cells`] = sent.cells;
        addBytes(figures, `${name}-${at}`, sent);
      }
      addBytes(figures, `first-paint-${at}`, await firstPaint('incident', size));
      addBytes(figures, `views-${at}`, await allViews(size));
    }
    return figures;
  },
};

function addBytes(figures: Record<string, number>, name: string, { bytes, idealBytes }: Sent): void {
  figures[`${name}.bytes`] = bytes;
  figures[`${name}.percent-of-ideal`] = Math.round((bytes / idealBytes) * 100);
}
