/**
 * Every command, in the order of the help. The files are loaded when their command is called, so that `--help` and start-up
 * stay fast; name and summary stand here as well, and a test holds the two equal.
 */
import type { Command } from './command.ts';

export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** What `email-ops` without a command does. */
export const DEFAULT_COMMAND = 'watch';

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'watch',
    summary: 'watch the email system, refreshing',
    load: async () => (await import('./watch.ts')).watch,
  },
  {
    name: 'status',
    summary: 'one picture of the email system; the exit code tells its health',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'report',
    summary: 'write the incident report: why, numbers, timeline and charts, as Markdown or as one HTML page',
    load: async () => (await import('./report.ts')).report as Command,
  },
  {
    name: 'run',
    summary: 'one run of a worker, now: queue-processor, health-monitor or quota-sync',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'pause',
    summary: 'hold the queue: no worker, of any version, sends until it is resumed or the pause ends',
    load: async () => (await import('./pause.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'lift a pause, so that the workers go on',
    load: async () => (await import('./resume.ts')).resume,
  },
  {
    name: 'queue',
    summary: 'list, show, retry, discard and enqueue emails',
    load: async () => (await import('./queue.ts')).queue,
  },
  {
    name: 'alerts',
    summary: 'list critical alerts with what to check first, and acknowledge them',
    load: async () => (await import('./alerts.ts')).alerts,
  },
  {
    name: 'providers',
    summary: 'list providers, disable and enable them, reset their circuits',
    load: async () => (await import('./providers.ts')).providers,
  },
  {
    name: 'send-test',
    summary: 'send one real email through one provider and show what happened',
    load: async () => (await import('./send-test.ts')).sendTest as Command,
  },
  {
    name: 'work',
    summary: 'run the workers on their schedules, without a screen',
    load: async () => (await import('./work.ts')).work as Command,
  },
  {
    name: 'serve',
    summary: 'offer the worker endpoints, the admin API and metrics over HTTP',
    load: async () => (await import('./serve.ts')).serve as Command,
  },
  {
    name: 'schedules',
    summary: 'list, sync, pause and resume the QStash schedules',
    load: async () => (await import('./schedules.ts')).schedules,
  },
  {
    name: 'init',
    summary: 'connect a deployment: ask for the credentials, try each, write .env, bring migration and schedules',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'doctor',
    summary: 'check every system and say for each fault what to do',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'cost',
    summary: 'what the system costs a month at Upstash, by volume, schedules and hours of watching',
    load: async () => (await import('./cost.ts')).cost as Command,
  },
  {
    name: 'sandbox',
    summary: 'run the whole system on this machine, and print how to reach it',
    load: async () => (await import('./sandbox.ts')).sandbox,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell: bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completion,
  },
];
