// Preloaded into a program: writes, when it ends, which modules it loaded and its peak memory, to the file that COUNT_TO names.
// With COUNT_PEAK the memory alone, because watching what is loaded takes some.
import { statSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const loaded = new Set();
if (process.env.COUNT_PEAK === undefined) {
  registerHooks({
    load: (url, context, nextLoad) => {
      if (url.startsWith('file:')) loaded.add(url);
      return nextLoad(url, context);
    },
  });
}
process.on('exit', () => {
  const modules = [...loaded].map((url) => ({ path: fileURLToPath(url), bytes: statSync(new URL(url)).size }));
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  writeFileSync(process.env.COUNT_TO, JSON.stringify({ modules, peakBytes }));
});
