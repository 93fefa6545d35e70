// `npm run screens`: draws every stored screen anew into tests/terminal/screens/. Look at the difference before it is kept.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { STORED_SCREENS } from '../tests/terminal/stored-screens.ts';

const folder = new URL('../tests/terminal/screens/', import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { file, render } of STORED_SCREENS) writeFileSync(new URL(file, folder), await render());
process.stdout.write(`${STORED_SCREENS.length} screens drawn.\n`);
process.exit(0);
