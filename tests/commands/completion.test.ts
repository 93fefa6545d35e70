import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { stringIo } from '../support/cli.ts';
import { findBinary, isMissing } from '../support/real-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'email-ops-completion-'));
const script = (shell: string) => join(folder, `email-ops.${shell}`);

async function print(shell: string): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const io = stringIo();
  const exitCode = await runCli(['completion', shell], {
    environment: {},
    signal: new AbortController().signal,
    io: () => io,
  });
  return { exitCode, ...io.output };
}

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(script(shell), (await print(shell)).stdout);
});

/** What each real shell offers after `email-ops …`; the last word is what stands before the cursor. */
const SHELLS: Readonly<Record<string, (words: readonly string[]) => readonly string[]>> = {
  bash: (words) => {
    const program = `source '${script('bash')}'; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _email_ops; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return lines('bash', ['--norc', '-c', program, 'bash', 'email-ops', ...words]);
  },
  zsh: (words) => {
    // The completion system itself needs a terminal: what it would be given stands for it.
    const given = [
      'compdef() { :; }; _files() { print -l FILES }',
      'compadd() { shift; print -l -- "$@" }',
      `_describe() { while [[ "$1" == -* ]]; do [[ "$1" == -t ]] && shift; shift; done; print -l -- "\${(@)\${(P)2}%%:*}" }`,
    ];
    const program = `${given.join('\n')}\nsource '${script('zsh')}'; words=("$@"); CURRENT=$#; _email_ops`;
    const found = lines('zsh', ['-f', '-c', program, 'zsh', 'email-ops', ...words]);
    return found.filter((each) => each.startsWith(words.at(-1) ?? ''));
  },
  fish: (words) => {
    const program = `source '${script('fish')}'; complete -C '${['email-ops', ...words].join(' ')}'`;
    return lines('fish', ['--no-config', '-c', program]).map((line) => line.split('\t')[0] ?? '');
  },
};

function lines(binary: string, args: readonly string[]): readonly string[] {
  const env = { PATH: process.env.PATH ?? '', HOME: folder, LC_ALL: 'C.UTF-8' };
  return execFileSync(binary, args, { encoding: 'utf8', env, cwd: folder })
    .split('\n')
    .filter((line) => line !== '');
}

describe.each(Object.entries(SHELLS))('the completion of %s', (shell, complete) => {
  it.skipIf(isMissing(shell, findBinary([shell])))('knows commands, subcommands, options and their values', () => {
    expect(complete(['pa'])).toEqual(['pause']);
    expect([...complete(['queue', ''])].sort()).toEqual(['discard', 'enqueue', 'list', 'retry', 'show']);
    expect(complete(['cost', '--sch'])).toEqual(['--schedules']);
    expect([...complete(['cost', '--schedules', ''])].sort()).toEqual(['none', 'one-tick', 'three']);
    expect([...complete(['run', ''])].sort()).toEqual(['health-monitor', 'queue-processor', 'quota-sync']);
    expect(complete(['queue', 'list', '--stat'])).toEqual(['--status']);
    expect(complete(['--work'])).toEqual(['--workers']);
    expect(complete(['report', '--since', ''])).toEqual([]);
  });
});

it('says which shells there are', async () => {
  const { exitCode, stderr } = await print('tcsh');
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
});
