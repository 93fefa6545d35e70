import { describe, expect, it } from 'vitest';
import { monitoringLine } from '../../src/commands/render/monitoring.ts';
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { runCliProcess } from '../support/cli.ts';
import { aBlindSnapshot, anOverview, aSnapshot, NOON } from '../support/snapshot.ts';

const FORMAT =
  /^EMAIL (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+( \| [a-z_]+=\d+s?;;;0(;\d+)?( [a-z_]+=\d+s?;;;0(;\d+)?)*)?$/;

describe('the line for monitoring', () => {
  it('carries the figures of a healthy system', () => {
    const snapshot = aSnapshot({ queue: loaded(anOverview({ ready: 12, oldestReadyAtEpochMs: NOON - 5_000 }), NOON) });
    const line = monitoringLine(snapshot, { level: 'ok', reasons: [] });
    expect(line).toMatch(FORMAT);
    expect(line).toMatch(/^EMAIL OK - email is flowing \| ready=12;;;0 oldest_ready=5s;;;0 /);
  });

  it('says why it is not well, on one line without a bar', () => {
    const alerts = loaded(parseAlerts(['CRITICAL: resend | brevo\nare down'], {}, NOON), NOON);
    const snapshot = aSnapshot({ alerts });
    const line = monitoringLine(snapshot, verdictOf(snapshot));
    expect(line).toMatch(FORMAT);
    expect(line).toContain('EMAIL WARNING - ');
    expect(line).toContain('alerts=1');
  });

  it('says that it is the sandbox’s, in case somebody takes it for production’s', () => {
    const snapshot = aSnapshot({ environment: { name: 'sandbox', isSandbox: true } });
    const line = monitoringLine(snapshot, { level: 'ok', reasons: [] });
    expect(line).toMatch(FORMAT);
    expect(line).toMatch(/^EMAIL OK - SANDBOX, nothing here is real: email is flowing \|/);
  });

  it('is UNKNOWN without figures when nothing can be read', () => {
    const snapshot = aBlindSnapshot({ code: 'unreachable', message: 'Redis cannot be reached.' });
    expect(monitoringLine(snapshot, verdictOf(snapshot))).toMatch(/^EMAIL UNKNOWN - [^|]+$/);
  });

  it('is UNKNOWN, not CRITICAL, where the configuration keeps it from looking', async () => {
    const { exitCode, stdout, stderr } = await runCliProcess(['status', '--check'], { env: { REDIS_URL: 'nonsense' } });
    expect([exitCode, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/^EMAIL UNKNOWN - REDIS_URL/);
  });
});
