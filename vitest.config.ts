import { defineConfig } from 'vitest/config';

const real = ['tests/real/**/*.test.ts'];
const chaos = ['tests/chaos/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['tests/**/*.test.ts'],
          exclude: [...real, ...chaos],
          // What they share is code without state: loading it anew for each of 126 files would take as long as the tests.
          isolate: false,
          maxWorkers: '100%',
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: 'real', include: real, testTimeout: 120_000, hookTimeout: 120_000 } },
      // They wait more than they compute, so a few go side by side, also on two cores.
      { test: { name: 'chaos', include: chaos, testTimeout: 120_000, hookTimeout: 120_000, maxConcurrency: 100 } },
    ],
  },
});
