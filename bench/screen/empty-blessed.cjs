// The least that a Node program with blessed does: loads it, and draws one box with a border. What a first paint is compared with.
require('node:module').enableCompileCache(process.env.BENCH_CACHE);
const blessed = require('blessed');

const screen = blessed.screen({ fullUnicode: false, smartCSR: false, warnings: false });
blessed.box({ parent: screen, width: '100%', height: '100%', border: { type: 'line' }, content: 'x'.repeat(400) });
screen.render();
setInterval(() => undefined, 60_000);
