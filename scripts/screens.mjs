// `npm run screens`: draws every stored screen anew into tests/terminal/screens/, and the pictures of the README into docs/.
// Look at the difference before it is kept.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DARK, REFERENCE, STORED_STATES } from '../tests/support/dashboard.ts';
import { draw } from '../tests/support/screens.ts';
import { svgOf } from '../tests/support/svg.ts';
import { STORED_SCREENS } from '../tests/terminal/stored-screens.ts';

const folder = new URL('../tests/terminal/screens/', import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { file, render } of STORED_SCREENS) writeFileSync(new URL(file, folder), await render());
for (const name of ['calm', 'incident']) {
  const [picture] = await draw([STORED_STATES[name](REFERENCE, DARK)], (terminal) =>
    svgOf(terminal.cells(), `email-ops, the Overview: ${name}`),
  );
  writeFileSync(new URL(`../docs/overview-${name}.svg`, import.meta.url), picture);
}
process.stdout.write(`${STORED_SCREENS.length} screens drawn.\n`);
process.exit(0);
