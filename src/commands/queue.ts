/** `email-ops queue`: looking at the queue, putting emails into it, again into it, and out of it. Each verb has its own file. */
import type { Command } from './command.ts';
import { discard, retry } from './queue-change.ts';
import { enqueue } from './queue-enqueue.ts';
import { list } from './queue-list.ts';
import { show } from './queue-show.ts';

export const queue: Command = {
  name: 'queue',
  summary: 'list, show, retry, discard and enqueue emails',
  options: [],
  examples: [
    { line: 'email-ops queue list --status failed', what: 'what failed, and why' },
    { line: 'email-ops queue show <id>', what: 'one email with its story' },
    { line: 'email-ops queue enqueue < emails.jsonl', what: 'many emails, one JSON object a line' },
  ],
  subcommands: [list, show, retry, discard, enqueue],
};
