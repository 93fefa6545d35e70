/** `email-ops completion`: what a shell needs to complete our commands and options, made from the table of commands. */
import { type Command, EXIT, type Invocation, UsageError } from './command.ts';
import type { Node } from './shell/tree.ts';

const SHELLS: Readonly<Record<string, () => Promise<(root: Node) => string>>> = {
  bash: async () => (await import('./shell/bash.ts')).bashCompletion,
  zsh: async () => (await import('./shell/zsh.ts')).zshCompletion,
  fish: async () => (await import('./shell/fish.ts')).fishCompletion,
};

export const completion: Command = {
  name: 'completion',
  summary: 'print the completion script of a shell: bash, zsh or fish',
  arguments: [{ name: '<shell>', description: Object.keys(SHELLS).join(', ') }],
  options: [],
  examples: [
    { line: 'source <(email-ops completion bash)', what: 'in ~/.bashrc' },
    { line: 'source <(email-ops completion zsh)', what: 'in ~/.zshrc, after compinit' },
    { line: 'email-ops completion fish > ~/.config/fish/completions/email-ops.fish', what: 'once' },
  ],
  run,
};

async function run({ arguments: [shell = ''], io }: Invocation): Promise<number> {
  const load = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (load === undefined) throw new UsageError(`'${shell}' is none of ${Object.keys(SHELLS).join(', ')}`);
  const [generate, { commandTree }] = await Promise.all([load(), import('./shell/tree.ts')]);
  io.stdout.write(generate(await commandTree()));
  return EXIT.ok;
}
