/**
 * The runbook as a table: for every kind of alert and every reason of the verdict what it means and what to check first. The
 * *Alerts* view shows it, docs/runbook.md is made from it, and a test holds that no rule is without its entry.
 */
import { PROVIDER_ENTRIES } from './runbook-providers.ts';
import { QUEUE_ENTRIES } from './runbook-queue.ts';
import { SYSTEM_ENTRIES } from './runbook-systems.ts';

export interface RunbookEntry {
  /** The anchor in docs/runbook.md. */
  readonly id: string;
  readonly title: string;
  readonly means: string;
  /** In this order. */
  readonly check: readonly RunbookStep[];
  /** Keys of our alert rules, without what follows a colon. */
  readonly alerts?: readonly string[];
  /** Codes of the verdict; `*` stands for any characters. */
  readonly reasons?: readonly string[];
  /** How the text of such an alert reads: the list carries no keys, and the email function writes its own. */
  readonly reads?: readonly RegExp[];
}

export interface RunbookStep {
  readonly text: string;
  /** For a shell. */
  readonly command?: string;
  /** For the dashboard, as its keymap has it. */
  readonly key?: string;
}

export interface RunbookChapter {
  readonly title: string;
  readonly entries: readonly RunbookEntry[];
}

/** What is known of an alert that nobody foresaw. */
export const UNKNOWN_ENTRY: RunbookEntry = {
  id: 'another-alert',
  title: 'An alert of another program',
  means:
    'Neither our workers nor the email function word it like this. Whoever pushes to email:alerts:critical can say what it is about.',
  check: [
    { text: 'Look whether mail flows all the same: verdict, queue and runs', command: 'email-ops status', key: '1' },
    { text: 'See whether a provider is in trouble', key: '4' },
    { text: 'Acknowledge it once somebody has it in hand, so that the next one stands out', key: 'a' },
  ],
};

/** Looked through from the top: the first entry that fits is meant. */
export const RUNBOOK: readonly RunbookChapter[] = [
  { title: 'The queue and the workers', entries: QUEUE_ENTRIES },
  { title: 'Providers and quotas', entries: PROVIDER_ENTRIES },
  { title: 'The systems around it', entries: SYSTEM_ENTRIES },
  { title: 'Everything else', entries: [UNKNOWN_ENTRY] },
];

const ENTRIES = RUNBOOK.flatMap(({ entries }) => entries);

/** By the alert's text, without severity and time. There is always an entry. */
export function entryForAlert(text: string): RunbookEntry {
  return ENTRIES.find(({ reads }) => reads?.some((pattern) => pattern.test(text))) ?? UNKNOWN_ENTRY;
}

/** By the key of one of our own alert rules, such as `quota-forecast:brevo`. */
export function entryForAlertKey(key: string): RunbookEntry {
  const [kind = ''] = key.split(':');
  return ENTRIES.find(({ alerts }) => alerts?.includes(kind)) ?? UNKNOWN_ENTRY;
}

/** By the code of a reason of the verdict. Whole codes go before patterns. */
export function entryForReason(code: string): RunbookEntry {
  const whole = ENTRIES.find(({ reasons }) => reasons?.includes(code));
  return whole ?? ENTRIES.find(({ reasons }) => reasons?.some((pattern) => fits(pattern, code))) ?? UNKNOWN_ENTRY;
}

function fits(pattern: string, code: string): boolean {
  const [before, after] = pattern.split('*');
  if (before === undefined || after === undefined) return pattern === code;
  return code.length >= pattern.length - 1 && code.startsWith(before) && code.endsWith(after);
}
