/** The sandbox's database library must not get in between Node and its warnings. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const database = new URL('../../src/sandbox/database.ts', import.meta.url).href;

test('a warning that is an error object is told, and breaks nothing', async () => {
  // In a process of its own, whose modules are loaded as the sandbox's are.
  const script = `await import(${JSON.stringify(database)}); process.emitWarning(new Error('too many listeners')); console.log('goes on');`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('goes on\n');
  expect(stderr).toContain('too many listeners');
});
