/** The runbook's chapter about the providers, their quotas and the email function's own alerts. Data only. */
import type { RunbookEntry } from './runbook.ts';

export const PROVIDER_ENTRIES: readonly RunbookEntry[] = [
  {
    id: 'health-check',
    title: 'The health check does not work',
    means:
      'Nobody knows how the providers are: the check fails, or it does not run. Sending goes on with what was known last.',
    alerts: ['health-check'],
    reasons: ['health-check-failing', 'no-health-check'],
    reads: [/^The health check has failed/, /health check (failed|fails)/i],
    check: [
      { text: 'Run it here and read its error', command: 'email-ops run health-monitor', key: 'h' },
      { text: 'Does the email function answer, and accept our key?', command: 'email-ops doctor' },
      { text: 'Is its schedule there, active and delivered?', command: 'email-ops schedules list', key: '5' },
    ],
  },
  {
    id: 'no-provider',
    title: 'No provider can send',
    means:
      'All providers are down or have used up their quota: nothing can leave. Emails stay queued; attempts at providers that fail are used up.',
    reasons: ['all-providers-down'],
    reads: [
      /no (email )?provider (can send|is|available)/i,
      /\ball( \d+)? (email )?providers?( are)? (down|unavailable|unhealthy)/i,
    ],
    check: [
      {
        text: 'Pause the queue, so that no attempts are used up',
        command: 'email-ops pause --for 30m --reason "no provider"',
        key: 'p',
      },
      { text: 'Down or used up? Messages, circuits and quotas', key: '4' },
      {
        text: 'All at once is rarely the providers: check the network and the email function',
        command: 'email-ops doctor',
      },
      { text: 'Check again once something has changed', command: 'email-ops run health-monitor', key: 'h' },
      { text: 'Resume', command: 'email-ops resume', key: 'p' },
    ],
  },
  {
    id: 'provider-disabled',
    title: 'A provider is disabled',
    means: 'An operator lets nothing go through it until a time, after which it is used again by itself.',
    reads: [/\bis out\b/i, /\bis disabled\b/i],
    check: [
      { text: 'Who disabled it, until when and why?', command: 'email-ops providers list', key: '4' },
      { text: 'Well again: enable it before its time', command: 'email-ops providers enable <provider>', key: 'd' },
    ],
  },
  {
    id: 'provider-down',
    title: 'A provider is down',
    means: 'Its health check fails or it refuses our sends. Emails go through the others as long as their quotas last.',
    reasons: ['provider-down'],
    reads: [/\bis (down|unavailable|unreachable|unhealthy)\b/i, /health (score|check) (of|for) /i],
    check: [
      { text: 'Read what it says: a refused key is ours to repair, an outage is theirs', key: '4' },
      { text: 'Look at the status page of the provider' },
      { text: 'Will the quotas of the others last? See when they end', key: '4' },
      {
        text: 'Where attempts are wasted on it, disable it for a while',
        command: 'email-ops providers disable <provider> --for 2h',
        key: 'd',
      },
      { text: 'Check again', command: 'email-ops run health-monitor', key: 'h' },
    ],
  },
  {
    id: 'circuit-open',
    title: 'A circuit is open',
    means:
      'After five failures in a row the email function stops using a provider, and lets one send through a minute later to see whether it is well again.',
    reads: [/\bcircuit\b/i],
    check: [
      { text: 'Read the last error of the provider and since when it fails', key: '4' },
      { text: 'Nothing else to do if it is an outage: it closes by itself after three sends that worked' },
      {
        text: 'A refused key or an unverified domain: repair it in the console of the provider and in the secrets of the function',
      },
      { text: 'Repaired: send one email through it', command: 'email-ops send-test --provider <provider>' },
      {
        text: 'It works, but nobody uses it: reset its circuit',
        command: 'email-ops providers reset <provider>',
        key: 'c',
      },
    ],
  },
  {
    id: 'provider-failing',
    title: 'A provider fails many sends',
    means: 'It answers, but refuses or loses many sends. Its score sinks, so that it is used less.',
    reads: [/\bfails \d+ ?% of its last/i, /\b(failure|error) rate\b/i, /\bsuccess rate\b/i, /\banswers [45]\d\d\b/],
    check: [
      { text: 'Look at its errors, grouped, and whether they began at a certain time', key: '4' },
      {
        text: 'Bad addresses are nobody’s outage: are they of one type of email?',
        command: 'email-ops queue list --sort changed',
        key: '2',
      },
      { text: 'Look at reputation, suspensions and limits in the console of the provider' },
    ],
  },
  {
    id: 'provider-degraded',
    title: 'A provider is degraded',
    means: 'It works, but slowly or not always. It is used less; mail flows.',
    reads: [/\bis (degraded|slow)\b/i, /\blatency\b/i],
    check: [
      { text: 'Is it slow or does it fail? Compare latency and success rate over time', key: '4' },
      { text: 'Wait, unless the queue grows', key: '1' },
    ],
  },
  {
    id: 'all-quotas-gone',
    title: 'Every quota is used up',
    means:
      'Nothing can be sent before the quotas begin anew: days at 00:00 UTC, months on their first day. Waiting emails lose no attempt by it.',
    reasons: ['all-quotas-gone'],
    check: [
      { text: 'When do they return, and how many wait? The verdict says both', command: 'email-ops status', key: '1' },
      { text: 'Do our counts agree with those of the providers?', command: 'email-ops run quota-sync', key: 'u' },
      { text: 'If it cannot wait: raise the plan at a provider, and its daily_limit in email_provider_quota' },
      { text: 'Did something send far more than usual? Look at types and recipients', key: '2' },
    ],
  },
  {
    id: 'quota-gone',
    title: 'The quota of a provider is used up',
    means: 'Its emails of the day or the month are spent. The others take over until theirs are.',
    reasons: ['quota-gone'],
    reads: [/\bquota (is )?(used up|exhausted|exceeded|gone|reached)\b/i, /\bexhausted\b/i],
    check: [
      { text: 'Will the others last? See when they end', key: '4' },
      { text: 'Do our counts agree with those of the provider?', command: 'email-ops run quota-sync', key: 'u' },
      { text: 'Used up earlier than usual: what was sent today?', key: '2' },
    ],
  },
  {
    id: 'quota-ends',
    title: 'A quota comes to its end',
    means: 'At this rate it does not last until it begins anew, or most of it is used.',
    alerts: ['quota-forecast', 'quota'],
    reasons: ['quota-too-small'],
    reads: [/^The quota of .* will be used up/, /^Quota: /, /\bquota\b/i],
    check: [
      { text: 'What ends when, and what is left with the others?', key: '4' },
      { text: 'Do our counts agree with those of the providers?', command: 'email-ops run quota-sync', key: 'u' },
      {
        text: 'What is not urgent can wait for tomorrow: find the newsletter or announcement',
        command: 'email-ops queue list --type newsletter',
        key: '2',
      },
    ],
  },
];
