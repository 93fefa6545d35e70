import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintOf, formatAlert, outlivedAcknowledgements, parseAlerts } from '../../src/domain/alert.ts';
import { NOON } from '../support/snapshot.ts';

const HOUR = 3_600_000;

describe('parseAlerts', () => {
  test('reads ours with their time and legacy ones without', () => {
    const feed = parseAlerts(
      [
        'ERROR: brevo fails [2026-11-23T11:59:00.000Z]',
        'CRITICAL: all providers down',
        'WARNING: slow',
        'ALERT: hello',
      ],
      {},
      NOON,
    );
    expect(feed.skipped).toBe(0);
    expect(feed.alerts.map(({ severity, text, atEpochMs }) => [severity, text, atEpochMs])).toEqual([
      ['error', 'brevo fails', NOON - 60_000],
      ['critical', 'all providers down', null],
      ['warning', 'slow', null],
      ['notice', 'hello', null],
    ]);
  });

  test('skips and counts what is no alert', () => {
    const entries = [
      null,
      7,
      {},
      '',
      'hello',
      'error: lower case',
      'ERROR:',
      'ERROR:  [2026-11-23T11:59:00Z]',
      'ERROR: ok',
    ];
    const feed = parseAlerts(entries, {}, NOON);
    expect([feed.alerts.length, feed.skipped]).toEqual([1, 8]);
  });

  test('merges repetitions that differ only in numbers and times, in the newest place', () => {
    const feed = parseAlerts(
      [
        'ERROR: brevo quota at 92% [2026-11-23T11:00:00Z]',
        'ERROR: resend down',
        'ERROR: brevo quota at 91.5% [2026-11-23T10:00:00Z]',
        'ERROR: brevo quota at 90 %',
      ],
      {},
      NOON,
    );
    expect(feed.alerts.map(({ text, repeats, atEpochMs }) => [text, repeats, atEpochMs])).toEqual([
      ['brevo quota at 92%', 3, NOON - HOUR],
      ['resend down', 1, null],
    ]);
  });

  test('a time that lies ahead counts as now, one that is none stays text', () => {
    const feed = parseAlerts(['ERROR: a [2027-01-01T00:00:00Z]', 'ERROR: b [2026-99-99T00:00:00Z]'], {}, NOON);
    expect(feed.alerts.map(({ text, atEpochMs }) => [text, atEpochMs])).toEqual([
      ['a', NOON],
      ['b [2026-99-99T00:00:00Z]', null],
    ]);
  });

  test('an acknowledgement holds for a day, then the same alert is new again', () => {
    const fingerprint = fingerprintOf('error', 'brevo fails');
    const acked = (at: string) => ({ [fingerprint]: JSON.stringify({ by: 'anna', at }) });
    const entry = ['ERROR: brevo fails [2026-11-23T11:00:00Z]'];
    expect(parseAlerts(entry, acked('2026-11-23T09:00:00Z'), NOON).alerts[0]?.acknowledged).toEqual({
      by: 'anna',
      atEpochMs: NOON - 3 * HOUR,
    });
    expect(parseAlerts(entry, acked('2026-11-20T09:00:00Z'), NOON).alerts[0]?.acknowledged).toBeNull();
  });

  test('an acknowledgement is given up after a day, once its alert has left the list', () => {
    const ack = (at: string) => JSON.stringify({ by: 'anna', at });
    const [listed, gone, recent] = ['brevo fails', 'resend fails', 'ses fails'].map((text) =>
      fingerprintOf('error', text),
    );
    const acked = {
      [listed ?? '']: ack('2026-11-01T00:00:00Z'),
      [gone ?? '']: ack('2026-11-22T11:00:00Z'),
      [recent ?? '']: ack('2026-11-22T13:00:00Z'),
      unreadable: 'nonsense',
    };
    expect(outlivedAcknowledgements(['ERROR: brevo fails', 'what is this'], acked, NOON)).toEqual([gone, 'unreadable']);
  });

  test('an acknowledgement that cannot be read still counts', () => {
    const acked = { [fingerprintOf('error', 'x')]: 'nonsense' };
    expect(parseAlerts(['ERROR: x'], acked, NOON).alerts[0]?.acknowledged).toEqual({ by: 'unknown', atEpochMs: null });
    expect(parseAlerts(['ERROR: x'], { [fingerprintOf('error', 'x')]: 'null' }, NOON).alerts[0]?.acknowledged?.by).toBe(
      'unknown',
    );
  });

  test('never throws, and every entry is an alert, a repetition or skipped', () => {
    const entry = fc.oneof(
      fc.anything(),
      fc
        .tuple(fc.constantFrom('ERROR:', 'CRITICAL: ', 'WARNING:', 'ALERT: ', ''), fc.string({ unit: 'binary' }))
        .map((p) => p.join('')),
    );
    fc.assert(
      fc.property(fc.array(entry), fc.dictionary(fc.string(), fc.string()), (entries, acked) => {
        const feed = parseAlerts(entries, acked, NOON);
        expect(feed.alerts.reduce((sum, { repeats }) => sum + repeats, feed.skipped)).toBe(entries.length);
        expect(new Set(feed.alerts.map(({ fingerprint }) => fingerprint)).size).toBe(feed.alerts.length);
      }),
    );
  });

  test('long hostile entries take no noticeable time', () => {
    const started = performance.now();
    parseAlerts(
      ['ERROR: ', 'ERROR: [', 'ERROR: 1.', 'ERROR: a-'].map((start) => start + ' 1'.repeat(500_000)),
      {},
      NOON,
    );
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('formatAlert', () => {
  test('writes what parseAlerts reads', () => {
    const severity = fc.constantFrom('critical', 'error', 'warning', 'notice' as const);
    const text = fc.string({ minLength: 1 }).map((t) => `${t.trim()}x`);
    const atEpochMs = fc.option(fc.integer({ min: 0, max: NOON }));
    fc.assert(
      fc.property(fc.record({ severity, text, atEpochMs }), (alert) => {
        expect(parseAlerts([formatAlert(alert)], {}, NOON).alerts[0]).toMatchObject(alert);
      }),
    );
  });
});

test('fingerprints tell different alerts apart and are stable', () => {
  expect(fingerprintOf('error', 'brevo down')).not.toBe(fingerprintOf('error', 'resend down'));
  expect(fingerprintOf('error', 'brevo down')).not.toBe(fingerprintOf('critical', 'brevo down'));
  expect(fingerprintOf('error', 'at 11:03 row 0b9e7c1a-1111-4222-8333-444455556666')).toBe(
    fingerprintOf('error', 'at 12:44 row ffffffff-9999-4222-8333-444455556666'),
  );
  expect(fingerprintOf('error', 'brevo down')).toMatch(/^[0-9a-f]{16}$/);
});
