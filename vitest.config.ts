import { defineConfig } from 'vitest/config';

const slow = ['tests/real/**/*.test.ts', 'tests/chaos/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['tests/**/*.test.ts'],
          exclude: slow,
          testTimeout: 10_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: 'real', include: slow, testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
