/** What the function warns about, each alert at most once an hour, also across restarts. */
import { join } from 'node:path';
import { z } from 'zod';
import { percentUsed, type QuotaUse, quotaStatus } from '../../domain/quota.ts';
import { type Clock, HOUR_MS } from '../../domain/time.ts';
import { openJournal } from '../journal.ts';
import { type Assessment, isUsable } from './assessment.ts';

interface Condition {
  /** Stays the same while the numbers in `text` change: repetition is judged by it. */
  readonly key: string;
  readonly text: string;
}

export interface Alerts {
  /** Everything that holds now. Announces nothing. */
  current(assessments: readonly Assessment[]): readonly string[];
  /** What holds now and has not been announced within the last hour; counts as announced. */
  announce(assessments: readonly Assessment[]): readonly string[];
  close(): void;
}

const announcementSchema = z.object({ key: z.string(), atEpochMs: z.number() });

export function openAlerts(folder: string, clock: Clock): Alerts {
  const journal = openJournal(join(folder, 'alerts.jsonl'), (value) => announcementSchema.parse(value));
  const announcedAt = new Map(journal.replayed.map(({ key, atEpochMs }) => [key, atEpochMs]));
  return {
    current: (assessments) => conditions(assessments).map(({ text }) => text),
    announce: (assessments) => {
      const now = clock.nowEpochMs();
      const due = conditions(assessments).filter(({ key }) => now - (announcedAt.get(key) ?? -HOUR_MS) >= HOUR_MS);
      for (const { key } of due) announcedAt.set(key, now);
      // One line for each kind of alert ever raised: small enough to write whole.
      if (due.length > 0) journal.rewrite([...announcedAt].map(([key, atEpochMs]) => ({ key, atEpochMs })));
      return due.map(({ text }) => text);
    },
    close: () => journal.close(),
  };
}

function conditions(assessments: readonly Assessment[]): readonly Condition[] {
  const configured = assessments.filter((assessment) => assessment.configured);
  const own = configured.flatMap((assessment) => [
    ...availability(assessment),
    ...quota(assessment, 'daily', assessment.quota.day),
    ...quota(assessment, 'monthly', assessment.quota.month),
  ]);
  if (configured.some(isUsable)) return own;
  return [
    { key: 'none', text: 'CRITICAL: No email provider can send: all are down or have used up their quota' },
    ...own,
  ];
}

function availability({ provider, status, record, message }: Assessment): Condition[] {
  const failing = `${Math.round(100 - record.successRatePercent)} % of its last ${record.observed} sends`;
  if (status === 'error') return [{ key: `${provider}/down`, text: `CRITICAL: ${provider} is down: ${message}` }];
  if (record.observed >= 10 && record.successRatePercent < 80) {
    return [{ key: `${provider}/failing`, text: `ERROR: ${provider} fails ${failing}` }];
  }
  if (status === 'degraded')
    return [{ key: `${provider}/degraded`, text: `WARNING: ${provider} is degraded: ${message}` }];
  return [];
}

function quota({ provider }: Assessment, period: 'daily' | 'monthly', use: QuotaUse): Condition[] {
  const key = `${provider}/${period}`;
  const used = `${use.sent} of ${use.limit}`;
  if (use.sent >= use.limit) {
    return [{ key: `${key}/used-up`, text: `CRITICAL: ${provider} ${period} quota is used up (${used})` }];
  }
  switch (quotaStatus(percentUsed(use))) {
    case 'exhausted':
      return [{ key: `${key}/nearly`, text: `ERROR: ${provider} ${period} quota is nearly used up (${used})` }];
    case 'warning':
      return [{ key: `${key}/high`, text: `WARNING: ${provider} ${period} quota is over 70 % (${used})` }];
    case 'ok':
      return [];
  }
}
