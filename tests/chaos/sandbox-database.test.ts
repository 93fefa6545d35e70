/** The sandbox database under kill -9, at random moments: every row that was answered is there afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/sandbox/database.ts';

const script = fileURLToPath(new URL('../support/database-child.ts', import.meta.url));
const startDeadlineMs = 30_000;

describe('the sandbox database, killed', () => {
  let folder: string;
  const children = new Set<ChildProcess>();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'email-ops-kill-'));
  });
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (name: string) => {
    const child = spawn(process.execPath, [script, folder, name], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let said = '';
    let complained = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complained += text;
    });
    const ended = once(child, 'close').then(() => children.delete(child));
    return {
      /** Waits until the child has said this word. */
      heard: async (word: string) => {
        const deadlineMs = Date.now() + startDeadlineMs;
        while (!said.split('\n').includes(word)) {
          if (child.exitCode !== null || Date.now() > deadlineMs)
            throw new Error(`No '${word}' but: ${said}${complained}`);
          await wait(5);
        }
      },
      /** Kills it and answers every whole line it has said. */
      kill: async () => {
        child.kill('SIGKILL');
        await ended;
        return said
          .slice(0, said.lastIndexOf('\n') + 1)
          .split('\n')
          .filter((line) => line !== '');
      },
    };
  };

  test('while it was being initialised, it begins anew', async () => {
    for (const delayMs of [0, 300, 900]) {
      const child = start('first');
      await child.heard('initialising Postgres');
      await wait(delayMs);
      expect(await child.kill()).not.toContain('open');
    }
    const child = start('first');
    await child.heard('open');
    await child.kill();
  });

  test('while it was writing, it has every row that was answered, and goes on', async () => {
    const answered: string[] = [];
    for (let round = 0; round < 8; round++) {
      const child = start(`round-${round}`);
      // By what it has written, not by time alone: a busy machine writes little in 600 ms.
      await child.heard(`round-${round}:2`);
      await wait(Math.random() * 600);
      answered.push(...(await child.kill()).filter((line) => line.startsWith('round-')));
    }
    expect(answered.length).toBeGreaterThan(20);

    const database = await openDatabase({ folder, secretKey: 'sb_secret_for_tests' });
    const rows = await database.query<{ enqueue_key: string }>('select enqueue_key from email_queue');
    const kept = new Set(rows.map((row) => row.enqueue_key));
    expect(answered.filter((key) => !kept.has(key))).toEqual([]);
    const [counted] = await database.query<{ n: string }>(`select (email_ops_overview()->'counts'->>'queued') as n`);
    expect(Number(counted?.n)).toBe(rows.length);
    await database.stop();
  });
});
