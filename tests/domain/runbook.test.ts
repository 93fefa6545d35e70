import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/table.ts';
import { formatAlert, parseAlerts } from '../../src/domain/alert.ts';
import {
  type AlertFacts,
  DEFAULT_ALERT_THRESHOLDS,
  type RaisedAlert,
  raisedAlerts,
} from '../../src/domain/alert-rules.ts';
import type { Lock } from '../../src/domain/lock.ts';
import { quotaAlerts, quotaWarnings } from '../../src/domain/quota-sync.ts';
import { entryForAlert, entryForAlertKey, entryForReason, RUNBOOK, UNKNOWN_ENTRY } from '../../src/domain/runbook.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { anOverview, aThroughput, NOON, quotasWithLeft } from '../support/snapshot.ts';

const DOMAIN = join(import.meta.dirname, '../../src/domain');
const ENTRIES = RUNBOOK.flatMap(({ entries }) => entries);

/** Literal first arguments of calls, `x` where a template fills something in. */
function literals(files: readonly string[], call: RegExp): string[] {
  const text = files.map((file) => readFileSync(join(DOMAIN, file), 'utf8')).join('\n');
  const found = [...text.matchAll(call)].map(([, literal = '']) => literal.replaceAll(/\$\{[^}]*\}/g, 'x'));
  return [...new Set(found)];
}

const worker = (expiresAtEpochMs: number | null): Lock => ({
  kind: 'worker',
  host: 'web-1',
  pid: 7,
  token: 'x',
  expiresAtEpochMs,
});
const pauseOf = (expiresAtEpochMs: number | null): Lock => ({
  kind: 'paused',
  operator: 'ana',
  host: 'desk',
  startedAtEpochMs: NOON - HOUR_MS,
  reason: 'brevo is down',
  expiresAtEpochMs,
});
const FACTS: AlertFacts = {
  nowEpochMs: NOON,
  queue: null,
  locks: [],
  points: [],
  lastProcessorRunAtEpochMs: null,
  previousDeadLetters: null,
  healthFailures: 0,
  healthError: null,
};

/** Facts that call for every alert there is, one after the other. */
const WORST: readonly Partial<AlertFacts>[] = [
  { queue: anOverview({ oldestReadyAtEpochMs: NOON - HOUR_MS, lastCompletedAtEpochMs: null }) },
  { lastProcessorRunAtEpochMs: NOON - HOUR_MS },
  {
    queue: anOverview({
      counts: { queued: 900, processing: 0, failed: 0, completed: 0 },
      deadLetters: 5,
      unreviewedDeadLetters: 5,
    }),
    previousDeadLetters: 2,
    points: [
      { atEpochMs: NOON - HOUR_MS, queueDepth: 0 },
      { atEpochMs: NOON - HOUR_MS / 2, queueDepth: 400 },
    ],
  },
  {
    queue: anOverview({
      quotas: quotasWithLeft(100),
      deliveries24h: [{ provider: 'resend', sent: 10, failed: 0, p95Ms: 1 }],
      throughput: aThroughput(50, 0),
    }),
  },
  { locks: [{ lock: worker(null), sinceEpochMs: NOON }] },
  { locks: [{ lock: worker(NOON + HOUR_MS), sinceEpochMs: NOON }] },
  { locks: [{ lock: worker(NOON + MINUTE_MS), sinceEpochMs: NOON - HOUR_MS }] },
  { locks: [{ lock: pauseOf(null), sinceEpochMs: NOON }] },
  { locks: [{ lock: pauseOf(NOON + MINUTE_MS), sinceEpochMs: NOON }] },
  { healthFailures: 3, healthError: 'brevo is down' },
];
const RAISED: readonly RaisedAlert[] = [
  ...WORST.flatMap((facts) => raisedAlerts({ ...FACTS, ...facts }, DEFAULT_ALERT_THRESHOLDS)),
  ...quotaAlerts(quotaWarnings(quotasWithLeft(1))),
];

describe('the runbook', () => {
  it('has each of its entries once, with a meaning and something to check', () => {
    expect(new Set(ENTRIES.map(({ id }) => id)).size).toBe(ENTRIES.length);
    expect(ENTRIES.filter(({ means, check }) => means === '' || check.length === 0)).toEqual([]);
  });

  it('knows every key that our alert rules raise', () => {
    const keys = literals(['alert-rules.ts', 'quota-sync.ts'], /(?:\b(?:critical|error)\(\s*|key: )['`]([^'`]+)['`]/g);
    expect(keys.length).toBeGreaterThan(8);
    expect(keys.filter((key) => entryForAlertKey(key) === UNKNOWN_ENTRY)).toEqual([]);
    const raised = new Set(RAISED.map(({ key }) => key.split(':')[0]));
    expect([...new Set(keys.map((key) => key.split(':')[0]))].filter((key) => !raised.has(key))).toEqual([]);
  });

  it.each(RAISED.map((alert) => [alert.text, alert] as const))('finds «%s» again in the list', (_text, raised) => {
    const pushed = formatAlert({ ...raised, atEpochMs: NOON });
    const [alert] = parseAlerts([pushed], {}, NOON).alerts;
    expect(entryForAlert(alert?.text ?? '').id).toBe(entryForAlertKey(raised.key).id);
  });

  it('knows every code of the verdict', () => {
    const files = ['verdict.ts', 'verdict-rules.ts', 'verdict-systems.ts'];
    const codes = [
      ...literals(files, /\b(?:reason|one)\(\s*(?:'\w+'|[\w.]+|[^,()]+\?[^,]+),\s*['`]([^'`]+)['`]/g),
      ...literals(files, /code: '([a-z-]+)'/g),
      ...literals(files, /const code = `([^`]+)`/g),
      'paused',
      'pausing',
      'redis-unauthorized',
      'postgres-missing-schema',
      'qstash-part-timeout',
    ];
    const known = codes.map((code) => code.replace(/^x-/, 'redis-'));
    expect(known.length).toBeGreaterThan(25);
    expect(known.filter((code) => entryForReason(code) === UNKNOWN_ENTRY)).toEqual([]);
  });

  it.each([
    ['redis-timeout', 'redis'],
    ['redis-not-configured', 'not-configured'],
    ['postgres-missing-schema', 'migration-missing'],
    ['malformed-runs', 'malformed'],
    ['qstash-dead-letters', 'qstash-dead-letters'],
    ['invented', 'another-alert'],
  ])('leads from the code %s to %s', (code, id) => {
    expect(entryForReason(code).id).toBe(id);
  });

  it.each([
    ['No email provider can send: all are down or have used up their quota', 'no-provider'],
    ['all 4 providers down', 'no-provider'],
    ['brevo is down: 503 Service Unavailable', 'provider-down'],
    ['brevo fails 40 % of its last 20 sends', 'provider-failing'],
    ['brevo is degraded: slow answers', 'provider-degraded'],
    ['circuit of brevo opened after 5 failures', 'circuit-open'],
    ['brevo daily quota is used up (300 of 300)', 'quota-gone'],
    ['brevo monthly quota is nearly used up (8,800 of 9,000)', 'quota-ends'],
    ['brevo daily quota is over 70 % (220 of 300)', 'quota-ends'],
    ['quota exhausted for resend', 'quota-gone'],
    ['brevo is out: disabled until 14:00 by ada, their API is down', 'provider-disabled'],
    ['disk is full', 'another-alert'],
  ])('leads from what the email function says, «%s», to %s', (text, id) => {
    expect(entryForAlert(text).id).toBe(id);
  });

  it('knows everything that our email function warns about', () => {
    const texts = literals(
      ['../email-function/alerts.ts'],
      /text: ['`](?:CRITICAL|ERROR|WARNING|ALERT): ([^'`]+)['`]/g,
    );
    expect(texts.length).toBeGreaterThan(6);
    // What a template fills in is a name or a number.
    const filled = texts.map((text) =>
      text.replace(/^x /, 'brevo ').replace('fails x', 'fails 40 % of its last 20 sends'),
    );
    expect(filled.filter((text) => entryForAlert(text).id === 'another-alert')).toEqual([]);
  });

  it('names only commands that there are', async () => {
    const lines = ENTRIES.flatMap(({ check }) => check.flatMap(({ command = '' }) => command.split(' && ')));
    for (const line of lines.filter((each) => each.startsWith('email-ops '))) {
      const [, name, ...rest] = line.split(' ');
      const command = await COMMANDS.find((row) => row.name === name)?.load();
      expect(command, line).toBeDefined();
      const sub = command?.subcommands?.find((each) => each.name === rest[0]);
      if (command?.subcommands !== undefined) expect(sub, line).toBeDefined();
      const flags = (sub ?? command)?.options.flatMap(({ flags: given }) => given.split(/[ ,]+/)) ?? [];
      expect(
        rest.filter((word) => word.startsWith('--')).filter((word) => !flags.includes(word)),
        line,
      ).toEqual([]);
    }
  });
});
