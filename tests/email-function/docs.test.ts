import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FUNCTION_VARIABLES } from '../../src/email-function/settings.ts';

const deploying = readFileSync(new URL('../../docs/deploying.md', import.meta.url), 'utf8');

test.each(FUNCTION_VARIABLES)('docs/deploying.md tells $name', ({ name }) => {
  expect(deploying).toContain(`\`${name}\``);
});

test('the platform lets every call through to the function, which checks the key itself', () => {
  const config = readFileSync(new URL('../../supabase/config.toml', import.meta.url), 'utf8');
  expect(config).toMatch(/\[functions\.email\]\n(#.*\n)*verify_jwt = false/);
});
