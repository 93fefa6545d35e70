/** The runbook's chapter about Redis, Postgres, QStash and the configuration. Data only. */
import type { RunbookEntry } from './runbook.ts';

export const SYSTEM_ENTRIES: readonly RunbookEntry[] = [
  {
    id: 'nothing-reachable',
    title: 'Nothing can be read',
    means:
      'No system answers from here. Most likely it is this machine’s network or its configuration; email may well flow.',
    reasons: ['nothing-reachable'],
    check: [
      { text: 'Check every system from here; each fault comes with its remedy', command: 'email-ops doctor' },
      { text: 'Look from another machine before you change anything' },
    ],
  },
  {
    id: 'not-configured',
    title: 'Something is not configured',
    means: 'Its variables are not set, so its part is missing from the picture. That is fine where it is meant.',
    reasons: ['nothing-configured', '*-not-configured'],
    check: [
      { text: 'See which variables are read, and which are missing', command: 'email-ops doctor' },
      { text: 'Set them in the environment or in .env of the folder that you start from' },
    ],
  },
  {
    id: 'migration-missing',
    title: 'The migration is missing',
    means:
      'The database lacks the functions and columns of email-ops. The console shows what plain tables tell; the workers refuse to process.',
    reasons: ['migration-missing', 'postgres-missing-schema', 'postgres-part-missing-schema'],
    check: [
      { text: 'See what is missing, and the command that applies it', command: 'email-ops doctor' },
      { text: 'Apply supabase/migrations: it only adds things, and may be applied twice', command: 'supabase db push' },
    ],
  },
  {
    id: 'redis',
    title: 'Redis cannot be read',
    means:
      'Without Redis there is no lock, no health, no alerts and no time series. Workers do not run without the lock; what they hold stays safe by its leases.',
    reasons: ['redis-*'],
    check: [
      { text: 'Unreachable, refused, or out of commands? The message says which', command: 'email-ops doctor' },
      {
        text: 'Out of commands of the plan: look less often, or raise the plan',
        command: 'email-ops watch --budget 10000/day',
      },
      { text: 'Unreachable: look at the status page of Upstash and at the network' },
    ],
  },
  {
    id: 'postgres',
    title: 'Postgres cannot be read',
    means: 'The queue is in Postgres: nothing is sent and nothing is accepted while it does not answer.',
    reasons: ['postgres-*'],
    check: [
      { text: 'Unreachable, refused, or slow? The message says which', command: 'email-ops doctor' },
      { text: 'Slow or timing out: look for long transactions and locks in the dashboard of the database' },
      { text: 'Unreachable: look at the status page of Supabase; a free project sleeps after a week without use' },
    ],
  },
  {
    id: 'qstash',
    title: 'QStash cannot be read',
    means: 'The schedules are not known. They may still fire: look whether runs are seen.',
    reasons: ['qstash-*'],
    check: [
      { text: 'Are runs seen all the same?', key: '6' },
      { text: 'Token, region and limits', command: 'email-ops doctor' },
      { text: 'If nothing fires, keep the workers on here until it is back', command: 'email-ops work', key: 'w' },
    ],
  },
  {
    id: 'schedules',
    title: 'A schedule is paused or fails',
    means: 'QStash does not call one of the workers, or the worker does not answer it with success.',
    reasons: ['schedule-paused', 'schedule-failing'],
    check: [
      { text: 'Which one, since when, with what answer?', command: 'email-ops schedules list', key: '5' },
      { text: 'Paused, and nobody knows why: let it go on', command: 'email-ops schedules resume' },
      {
        text: 'Failing with 401: the signing keys were rotated; copy both from the Upstash console and deploy again',
        command: 'email-ops doctor',
      },
      { text: 'Failing with 500: read the error of the run', key: '6' },
    ],
  },
  {
    id: 'qstash-dead-letters',
    title: 'QStash gave up on deliveries',
    means:
      'Calls of a worker failed until their retries were used up. The next call of the schedule does the same work, so nothing is lost by it.',
    reasons: ['qstash-dead-letters'],
    check: [
      { text: 'Does the schedule work by now?', command: 'email-ops schedules list', key: '5' },
      { text: 'If not: what does the endpoint answer?', command: 'email-ops doctor' },
      { text: 'If so: they may be forgotten; QStash drops them by itself after some days' },
    ],
  },
  {
    id: 'malformed',
    title: 'Entries that cannot be read',
    means:
      'Another program, or an older version, wrote something in another form. It is skipped and counted; nothing else suffers.',
    reasons: ['malformed-*'],
    check: [{ text: 'Only if the count grows: find who writes it' }],
  },
];
