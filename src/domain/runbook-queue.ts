/** The runbook's chapter about the queue, its lock and its workers. Data only. */
import type { RunbookEntry } from './runbook.ts';

export const QUEUE_ENTRIES: readonly RunbookEntry[] = [
  {
    id: 'queue-too-old',
    title: 'Emails wait too long',
    means:
      'The oldest email that is due has waited longer than it should. Either nobody works on the queue, or what works on it cannot send.',
    alerts: ['queue-too-old'],
    reasons: ['oldest-ready'],
    reads: [/^The oldest ready email has waited/],
    check: [
      { text: 'Is the queue paused? The banner and Lock say by whom and until when', command: 'email-ops status' },
      { text: 'Does the processor run? See when it last did, and what became of it', key: '6' },
      { text: 'Is there quota left, and is a provider up?', key: '4' },
      { text: 'Run the processor here, once', command: 'email-ops run queue-processor', key: 'r' },
    ],
  },
  {
    id: 'no-processor-run',
    title: 'The queue processor does not run',
    means:
      'No run was seen for several intervals. While it is silent no email leaves, except through a worker that leaves no record.',
    alerts: ['no-processor-run'],
    reasons: ['no-processor-run'],
    reads: [/^The queue processor has not run/, /^No run of the queue processor/],
    check: [
      {
        text: 'Run it here, so that mail flows while you look for the cause',
        command: 'email-ops run queue-processor',
        key: 'r',
      },
      {
        text: 'Does QStash call it? A schedule may be missing, paused or failing',
        command: 'email-ops schedules list',
        key: '5',
      },
      { text: 'Put missing and changed schedules right', command: 'email-ops schedules sync' },
      { text: 'Does the endpoint accept the calls? Signing keys and address', command: 'email-ops doctor' },
      {
        text: 'If QStash itself is down, keep the workers on here until it is back',
        command: 'email-ops work',
        key: 'w',
      },
    ],
  },
  {
    id: 'last-run-failed',
    title: 'The last run of the processor failed',
    means:
      'The run could not do its work, as its error says. Nothing is lost: what it had claimed is free again, or soon is.',
    reasons: ['last-run-failed'],
    check: [
      { text: 'Read its error', key: '6' },
      { text: 'Check every system that it needs', command: 'email-ops doctor' },
      { text: 'Run it again and watch it', command: 'email-ops run queue-processor', key: 'r' },
    ],
  },
  {
    id: 'queue-growing',
    title: 'The queue grows',
    means:
      'More comes in than goes out. After a newsletter that is normal for a while; if it lasts, the queue will not drain by itself.',
    alerts: ['queue-growing'],
    reasons: ['queue-growing'],
    reads: [/^The queue grew by/],
    check: [
      {
        text: 'What comes in? Look at the newest and their types',
        command: 'email-ops queue list --sort newest',
        key: '2',
      },
      { text: 'What holds it up: errors, one slow provider, or a quota?', key: '4' },
      {
        text: 'Send more at once: raise EMAIL_BATCH_SIZE (to 500) and EMAIL_CONCURRENCY (to 20)',
      },
      { text: 'Run an extra one now', command: 'email-ops run queue-processor', key: 'r' },
    ],
  },
  {
    id: 'stuck',
    title: 'Emails in processing, none completed',
    means:
      'A worker holds emails and none of them is done. It is very slow, it hangs, or it died and its leases have not run out yet.',
    reasons: ['no-completion'],
    check: [
      { text: 'Who holds the lock, and for how long?', command: 'email-ops status', key: '1' },
      { text: 'Do sends take long? Look at the latencies', key: '4' },
      { text: 'If the worker is dead, wait: the leases end within minutes, and the next run takes the emails over' },
      {
        text: 'If it hangs, take the lock away from it, and let the queue go on',
        command: 'email-ops pause --force && email-ops resume',
      },
    ],
  },
  {
    id: 'expired-leases',
    title: 'Leases have run out',
    means:
      'A worker stopped in the middle, killed or cut off. The next run takes its emails over; their idempotency keys keep them from going out twice where the provider knows such keys.',
    reasons: ['expired-leases'],
    check: [
      { text: 'Let the next run take them over, or run one now', command: 'email-ops run queue-processor', key: 'r' },
      { text: 'If it happens again, look why workers die: memory, a deadline of the platform, a deployment', key: '6' },
    ],
  },
  {
    id: 'deliveries-failing',
    title: 'Many deliveries fail',
    means:
      'Of the sends of the last half hour too many failed. What failed is tried again later, so time works for you as long as attempts are left.',
    reasons: ['failing-deliveries'],
    check: [
      { text: 'Is it one provider or all? Compare their failures and error messages', key: '4' },
      {
        text: 'Group the queue by error: one error with many emails is the cause',
        command: 'email-ops queue list --sort changed',
        key: '2',
      },
      {
        text: 'If all of them fail, pause, so that no attempts are used up',
        command: 'email-ops pause --for 30m --reason "sends fail"',
        key: 'p',
      },
    ],
  },
  {
    id: 'dead-letters',
    title: 'Dead letters',
    means:
      'Emails that nobody will try again: the address or the content was refused, or every attempt failed. They wait for a person.',
    alerts: ['dead-letters'],
    reasons: ['dead-letters'],
    reads: [/new dead letters?; not reviewed/],
    check: [
      { text: 'Read why they died', command: 'email-ops queue list --dead', key: '2' },
      { text: 'See the story of one of them', command: 'email-ops queue show <id>' },
      { text: 'Retry those whose cause is gone', command: 'email-ops queue retry --dead', key: 'R' },
      { text: 'Discard the rest, so that they count as reviewed', command: 'email-ops queue discard <id>', key: 'x' },
    ],
  },
  {
    id: 'lock-without-end',
    title: 'The queue lock never ends',
    means:
      'Somebody took the lock without an expiry, so no other worker can run, ever. Our workers never do that; a script or a person did.',
    alerts: ['lock-without-end'],
    reasons: ['lock-without-end'],
    reads: [/^The queue lock, held by .*, never expires/],
    check: [
      {
        text: 'Make sure that no worker is at it: nothing in processing, nothing completed lately',
        command: 'email-ops status',
        key: '1',
      },
      { text: 'Take the lock over, and let the queue go on', command: 'email-ops pause --force && email-ops resume' },
    ],
  },
  {
    id: 'lock-too-long',
    title: 'One worker holds the lock very long',
    means: 'No healthy run lasts that long. The holder hangs, or something renews a lock that nobody works under.',
    alerts: ['lock-too-long'],
    reads: [/^The queue lock.* (has been held by|ends only in)/],
    check: [
      {
        text: 'Does it get anything done? Look at what is in processing and when the last one was completed',
        command: 'email-ops status',
        key: '1',
      },
      { text: 'Look at that process on its host, and end it if it hangs' },
      {
        text: 'Otherwise take the lock away from it, and let the queue go on',
        command: 'email-ops pause --force && email-ops resume',
      },
    ],
  },
  {
    id: 'pause',
    title: 'The queue is paused',
    means:
      'An operator holds the queue: no worker of any version sends. A pause ends by itself at its deadline, and sending begins again whether or not the cause is gone.',
    alerts: ['pause'],
    reasons: ['paused', 'pausing'],
    reads: [/^The pause by /],
    check: [
      { text: 'Read who paused, why and until when; ask that person', command: 'email-ops status', key: '1' },
      { text: 'Still needed: prolong it before it ends', command: 'email-ops pause --for 1h' },
      { text: 'No longer needed: lift it', command: 'email-ops resume', key: 'p' },
    ],
  },
  {
    id: 'unacknowledged-alerts',
    title: 'Alerts that nobody has acknowledged',
    means: 'The list holds critical alerts, and nobody has said that they are being looked after.',
    reasons: ['unacknowledged-alerts'],
    check: [
      { text: 'Read them; each says what to check', command: 'email-ops alerts list', key: '3' },
      {
        text: 'Acknowledge what is in hand: repetitions of a day are covered',
        command: 'email-ops alerts ack <id>',
        key: 'a',
      },
    ],
  },
];
