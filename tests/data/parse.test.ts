/** The border holds, whatever comes: nothing throws, and what does not fit is skipped and counted. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHealth } from '../../src/data/health-report.ts';
import { parseOverview } from '../../src/data/overview.ts';
import { count, epochMs, jsonOrUndefined, lenient, parseEachJson } from '../../src/data/parse.ts';
import { DeadLetterRow, LogRow, QueueListRow, QueueRow } from '../../src/data/queue-row.ts';
import { sumQuotaRows } from '../../src/data/quota.ts';

/** Something of the right shape, with anything in it. */
const shaped = (names: readonly string[]) =>
  fc.oneof(
    fc.anything(),
    fc.record(Object.fromEntries(names.map((name) => [name, fc.oneof(fc.anything(), fc.string(), fc.integer())])), {
      requiredKeys: [],
    }),
  );

describe('times', () => {
  test.each([
    ['2026-11-23T12:00:00Z', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23T12:00:00.123456+00:00', '2026-11-23T12:00:00.123Z'],
    ['2026-11-23 12:00:00.5+00', '2026-11-23T12:00:00.500Z'],
    ['2026-11-23 14:00:00+02', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    [1_795_435_200_000, '2026-11-23T12:00:00.000Z'],
  ])('%s is read', (value, expected) => {
    expect(new Date(epochMs.parse(value)).toISOString()).toBe(expected);
  });

  test.each(['', 'yesterday', null, {}, Number.NaN, 1e300, '2026-99-99T00:00:00Z'])('%s is no time', (value) => {
    expect(epochMs.safeParse(value).success).toBe(false);
  });
});

test.each([null, '', 'x', true, [], '0x10', ' 1', '1e3', Number.NaN])('%o is no count', (value) => {
  expect(count.safeParse(value).success).toBe(false);
});

test('a count may come as text, as Postgres writes bigint', () => {
  expect([count.parse(7), count.parse('7'), count.parse('-1.50')]).toEqual([7, 7, -1.5]);
});

test('what is nice to have is null when it is absent or of another kind', () => {
  expect([undefined, null, 'x', 3].map((value) => lenient(count).parse(value))).toEqual([null, null, null, 3]);
});

test('each element stands for itself', () => {
  expect(parseEachJson(count, ['1', '"2"', 'x', null, '[]', undefined])).toEqual({ values: [1, 2], skipped: 4 });
});

test('JSON that is none is undefined', () => {
  fc.assert(fc.property(fc.anything(), (value) => typeof value === 'string' || jsonOrUndefined(value) === undefined));
});

test('a health report is read or refused, and never throws', () => {
  const value = shaped(['timestamp', 'providers', 'quotas', 'healthMetrics', 'alerts', 'summary']);
  fc.assert(
    fc.property(value, (anything) => {
      const health = parseHealth(anything);
      if (health !== null) expect(Number.isFinite(health.report.checkedAtEpochMs)).toBe(true);
    }),
  );
});

test('rows of any content are read or refused, and never throw', () => {
  const names = [
    'id',
    'recipient_email',
    'email_type',
    'attempts',
    'status',
    'template_data',
    'created_at',
    'provider',
  ];
  fc.assert(
    fc.property(shaped(names), (row) => {
      for (const schema of [QueueRow, QueueListRow, DeadLetterRow, LogRow]) schema.safeParse(row);
    }),
  );
});

test('content that is none leaves the row readable', () => {
  const row = {
    id: 'x',
    recipient_email: 'a@example.org',
    email_type: 'chat',
    attempts: 0,
    max_attempts: 3,
    status: 'queued',
    created_at: 0,
    updated_at: 0,
  };
  fc.assert(
    fc.property(fc.anything(), (template_data) => {
      expect(QueueRow.parse({ ...row, template_data }).status).toBe('queued');
    }),
  );
});

test('an overview is read or refused with a fault', () => {
  fc.assert(
    fc.property(shaped(['counts', 'ready', 'now', 'quotas', 'throughput']), (value) => {
      expect(() => parseOverview(value)).toThrow('Postgres answered with an overview that this version cannot read.');
    }),
  );
});

test('a month is the sum of its days, limits are the newest, and all four are there', () => {
  const row = (date: string, emailsSent: number, dailyLimit: number) =>
    ({ provider: 'brevo', date, emailsSent, dailyLimit, monthlyLimit: 9_000 }) as const;
  const quotas = sumQuotaRows([row('2026-11-01', 5, 200), row('2026-11-23', 7, 300)], '2026-11-23');
  expect(quotas.map(({ provider }) => provider)).toEqual(['resend', 'brevo', 'mailersend', 'aws_ses']);
  expect(quotas[1]).toEqual({ provider: 'brevo', day: { sent: 7, limit: 300 }, month: { sent: 12, limit: 9_000 } });
});
