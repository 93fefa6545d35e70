import { describe, expect, it } from 'vitest';
import type { HealthReport } from '../../src/domain/health.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { ProviderDetails } from '../../src/domain/provider-details.ts';
import { bucketsFrom, type ProviderHistory } from '../../src/domain/provider-history.ts';
import { NO_RECORD } from '../../src/domain/provider-record.ts';
import type { ProviderState } from '../../src/domain/provider-state.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { hintLine } from '../../src/ui/hints.ts';
import { inside } from '../../src/ui/layout.ts';
import { textOf, widthOf } from '../../src/ui/line.ts';
import type { LoadEvent } from '../../src/ui/loaders.ts';
import { reduce } from '../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../src/ui/state.ts';
import { afterEvents, connected, failedSnapshot, incidentSnapshot, keys } from '../support/dashboard.ts';
import { NOON } from '../support/snapshot.ts';

const OPEN: UiEvent = { type: 'command', name: 'view', argument: 'providers' };
const incident = (changes = {}) => afterEvents(connected(incidentSnapshot(), changes), OPEN);

function step(state: State, ...events: readonly UiEvent[]): readonly [State, readonly Effect[]] {
  let known = state;
  let effects: readonly Effect[] = [];
  for (const event of events) [known, effects] = reduce(known, event);
  return [known, effects];
}

function panel(state: State, id: string) {
  return frameOf(state).find((each) => each.id === id);
}
function panelText(state: State, id: string): string {
  const found = panel(state, id);
  return found === undefined ? '' : [textOf(found.frame?.title ?? []), ...found.lines.map(textOf)].join('\n');
}

function aHistory(rangeMs = 6 * HOUR_MS): ProviderHistory {
  const points = Array.from({ length: 360 }, (_, index) => ({
    provider: index % 3 === 0 ? 'brevo' : 'resend',
    atEpochMs: NOON - index * MINUTE_MS,
    outcome: index % 3 === 0 && index < 60 ? ('failed' as const) : ('sent' as const),
    latencyMs: 200 + index,
  }));
  const bucketMs = 5 * MINUTE_MS;
  return {
    sinceEpochMs: NOON - rangeMs,
    untilEpochMs: NOON,
    bucketMs,
    buckets: bucketsFrom(points, bucketMs),
    skipped: 0,
  };
}

function historyEvent(result: unknown = { ok: true, value: aHistory() }, rangeMs = 6 * HOUR_MS): UiEvent {
  const request = { kind: 'provider-history', rangeMs };
  return { type: 'loaded', view: 'providers', kind: 'provider-history', request, result } as UiEvent & LoadEvent;
}

const DETAILS: ProviderDetails = {
  days: [
    { provider: 'brevo', date: '2026-11-22', emailsSent: 210, dailyLimit: 300, monthlyLimit: 9_000 },
    { provider: 'brevo', date: '2026-11-23', emailsSent: 300, dailyLimit: 300, monthlyLimit: 9_000 },
  ],
  failures: [1, 2, 3].map((n) => ({
    id: String(n),
    recipientEmail: 'maria@example.org',
    emailType: 'chat',
    subject: null,
    provider: 'brevo',
    providerMessageId: null,
    status: 'failed',
    errorMessage: n < 3 ? `HTTP 503 after ${n} s for maria@example.org` : null,
    latencyMs: null,
    createdAtEpochMs: NOON - n * MINUTE_MS,
  })),
};

function detailsEvent(provider: string, result: unknown = { ok: true, value: DETAILS }): UiEvent {
  const request = { kind: 'provider-details', provider };
  return { type: 'loaded', view: 'providers', kind: 'provider-details', request, result } as UiEvent & LoadEvent;
}

function aProviderState(changes: Partial<ProviderState> = {}): ProviderState {
  return {
    provider: 'brevo',
    record: NO_RECORD,
    quota: { provider: 'brevo', day: { sent: 0, limit: 300 }, month: { sent: 0, limit: 9_000 } },
    disabled: null,
    usedUpUntilEpochMs: null,
    check: null,
    ...changes,
  };
}
function statesEvent(value: readonly ProviderState[]): UiEvent {
  const request = { kind: 'provider-states' };
  const result = { ok: true, value };
  return { type: 'loaded', view: 'providers', kind: 'provider-states', request, result } as unknown as UiEvent;
}
const OUT = { untilEpochMs: NOON + 2 * HOUR_MS, by: 'grace@ops-2', reason: 'their outage' };

function withMetrics(snapshot: Snapshot, metrics: Partial<HealthReport['metrics'][number]>): Snapshot {
  if (snapshot.health.state === 'failed' || snapshot.health.value.report === null) return snapshot;
  const report = snapshot.health.value.report;
  const brevo = {
    provider: 'brevo',
    healthScore: 12,
    successRatePercent: 40,
    averageLatencyMs: 2_100,
    totalRequests: 871,
    consecutiveFailures: 7,
    circuitState: 'open',
    ...metrics,
  };
  return { ...snapshot, health: loaded({ ...snapshot.health.value, report: { ...report, metrics: [brevo] } }, NOON) };
}

describe('the view of providers', () => {
  it('lists each with status, quota, forecast and what it says', () => {
    const table = panelText(incident(), 'providers');
    expect(table).toContain('Providers · checked 1 min ago');
    expect(table).toMatch(/^▸! resend +degraded +97 .*310 ms +74 +1 ███████░ +92 % +47 % ends 12:14 *$/m);
    expect(table).toMatch(/^ ✗ brevo +down +5 .* 100 % +24 % gone *$/m);
    expect(table).toContain('HTTP 503');
  });

  it('says why a score is what it is, and what follows from it', () => {
    const [state] = step(connected(withMetrics(incidentSnapshot(), {})), OPEN, ...keys('down'));
    const detail = panelText(state, 'provider-detail').replaceAll(/\s+/g, ' ');
    expect(detail).toContain(
      'score 12 of 100: its circuit is open, its health check fails, 40 % of its recent sends worked, 2.1 s on average; under 20: passed over',
    );
    expect(detail).toContain('circuit open: passed over, a probe a minute');
    expect(detail).toContain('871 in all; the last 7 failed');
    expect(detail).toContain('quota used up; begins anew 00:00 UTC');
  });

  it('selects what is clicked, on either of its lines', () => {
    const clicked = (row: number) => {
      const y = (panel(incident(), 'providers')?.rect.y ?? 0) + row;
      const state = afterEvents(incident(), { type: 'input', input: { kind: 'mouse', action: 'press', x: 9, y } });
      return /▸. (\w+)/.exec(panelText(state, 'providers'))?.[1];
    };
    expect([1, 2, 3, 4, 5, 6, 9, 10].map(clicked)).toEqual([
      ...['resend', 'resend', 'resend', 'brevo', 'brevo', 'mailersend', 'aws_ses', 'resend'],
    ]);
  });

  it('asks for the history when it is opened, and not again until it is old', () => {
    const [opened, effects] = step(connected(incidentSnapshot()), OPEN);
    const load = { kind: 'load', view: 'providers', request: { kind: 'provider-history', rangeMs: 6 * HOUR_MS } };
    expect(effects).toEqual([load, { kind: 'load', view: 'providers', request: { kind: 'provider-states' } }]);
    const refreshed: UiEvent = { type: 'read', snapshot: incidentSnapshot() };
    expect(step(opened, refreshed)[1]).toEqual([]);
    const answered = afterEvents(opened, historyEvent());
    expect(step(answered, refreshed)[1]).toEqual([]);
    const later: UiEvent = { type: 'tick', nowEpochMs: NOON + 2 * MINUTE_MS };
    expect(step(answered, later, refreshed)[1]).toEqual([load]);
    const known = afterEvents(answered, statesEvent([]));
    const soon: UiEvent = { type: 'tick', nowEpochMs: NOON + 20_000 };
    expect(step(known, soon, refreshed)[1]).toMatchObject([{ request: { kind: 'provider-states' } }]);
  });

  it('asks nothing while it is not connected, nor anew while frozen', () => {
    const unconnected = { ...connected(incidentSnapshot()), connection: { kind: 'connecting', step: 'x' } } as State;
    expect(step(unconnected, OPEN)[1]).toEqual([]);
    const frozen = afterEvents(incident(), historyEvent(), ...keys('space'));
    const [, effects] = step(
      frozen,
      { type: 'tick', nowEpochMs: NOON + HOUR_MS },
      { type: 'read', snapshot: incidentSnapshot() },
    );
    expect(effects).toEqual([]);
  });

  it('draws what was sent and what failed over the chosen range', () => {
    const state = afterEvents(incident(), historyEvent(), ...keys('down'));
    const chart = panel(state, 'provider-deliveries-brevo');
    expect(panelText(state, 'provider-deliveries-brevo')).toMatch(/^brevo, 6 h · 100 sent 20 failed, by 5 min/);
    const [sent, failed] = chart?.plot?.traces ?? [];
    expect([sent?.role, failed?.role]).toEqual(['first', 'critical']);
    expect(failed?.columns.filter((span) => span !== null).length).toBeGreaterThan(0);
    expect(sent?.columns.length).toBe((chart?.plot?.rect.width ?? 0) * 2);
    expect(panel(state, 'provider-latency-brevo')?.plot).toBeDefined();
  });

  it('tells a provider through which nothing was sent', () => {
    const state = afterEvents(incident(), historyEvent(), ...keys('end'));
    expect(panelText(state, 'provider-deliveries-aws_ses')).toContain('Nothing was sent through it in the last 6 h.');
  });

  it('loads another range for [ and ], and drops answers to the former one', () => {
    const [longer, effects] = step(incident(), ...keys(']'));
    expect(effects).toMatchObject([{ request: { kind: 'provider-history', rangeMs: 24 * HOUR_MS } }]);
    const late = afterEvents(longer, historyEvent());
    expect(panelText(late, 'provider-deliveries-resend')).toContain('reading…');
    expect(panelText(late, 'provider-deliveries-resend')).toContain('24 h');
  });

  it('keeps an older history when a newer one cannot be read, and says so', () => {
    const fault = { code: 'timeout', message: 'Postgres did not answer within 5000 ms.' };
    const state = afterEvents(
      incident(),
      historyEvent(),
      { type: 'tick', nowEpochMs: NOON + 3 * MINUTE_MS },
      historyEvent({ ok: false, fault }),
    );
    expect(panelText(state, 'provider-deliveries-resend')).toContain('stale 3 min: timeout');
    expect(panel(state, 'provider-deliveries-resend')?.plot).toBeDefined();
  });

  it('says what is missing when the first history cannot be read', () => {
    const fault = {
      code: 'missing-schema',
      message: 'Postgres lacks what we need.',
      remedy: 'Apply supabase/migrations.',
    };
    const state = afterEvents(incident(), historyEvent({ ok: false, fault }));
    expect(panelText(state, 'provider-deliveries-resend')).toContain('Apply supabase/migrations.');
  });

  it('opens the details of the selected one: failures by error, and its days', () => {
    const [opening, effects] = step(incident(), ...keys('down', 'enter'));
    expect(effects).toContainEqual({
      kind: 'load',
      view: 'providers',
      request: { kind: 'provider-details', provider: 'brevo' },
    });
    expect(panelText(opening, 'provider-detail')).toContain('reading its failures and days…');
    const state = afterEvents(opening, detailsEvent('brevo'));
    const detail = panelText(state, 'provider-detail');
    expect(detail).toContain('×2    HTTP 503 after 1 s for m***@example.org, 1 min ago');
    expect(detail).toContain('×1    failed, without a reason, 3 min ago');
    expect(detail).toMatch(/2026-11-23 +█+ 100 % +300\/300, 0 left\n2026-11-22/);
    expect(panel(state, 'providers')).toBeUndefined();
    expect(panel(afterEvents(state, ...keys('escape')), 'providers')).toBeDefined();
  });

  it('leaves out what is left where the number would be cut', () => {
    const snapshot = incidentSnapshot();
    if (snapshot.queue.state !== 'ok') throw new Error('the queue is known in an incident');
    const day = { sent: 6_062, limit: 120_000 };
    const month = { sent: 6_778, limit: 3_600_000 };
    const queue = loaded({ ...snapshot.queue.value, quotas: [{ provider: 'brevo', day, month }] as const }, NOON);
    const state = afterEvents(connected({ ...snapshot, queue }), OPEN, ...keys('down'));
    const detail = panelText(state, 'provider-detail');
    expect(detail).toContain('6,062/120,000, 113,938 left');
    expect(detail).toMatch(/6,778\/3,600,000$/m);
  });

  it('goes on to the next provider with its details open', () => {
    const [, effects] = step(incident(), ...keys('enter', 'down'));
    expect(effects).toMatchObject([{ request: { kind: 'provider-details', provider: 'brevo' } }]);
  });

  it('drops details of a provider that is not shown any more', () => {
    const state = afterEvents(incident(), ...keys('down', 'enter'), detailsEvent('resend'));
    expect(panelText(state, 'provider-detail')).toContain('reading its failures');
  });

  it('scrolls long details, and not beyond their end', () => {
    const small = afterEvents(
      incident({ size: { columns: 80, rows: 16 } }),
      ...keys('down', 'enter'),
      detailsEvent('brevo'),
    );
    expect(panelText(small, 'provider-detail')).toMatch(/lines below, PgDn/);
    const end = afterEvents(small, ...keys(...Array.from({ length: 9 }, () => 'page-down')));
    expect(panelText(end, 'provider-detail')).toMatch(/2026-11-22 .*left$/);
    expect(afterEvents(end, ...keys('page-up'))).not.toEqual(end);
  });

  it('shows what the other system knows when one cannot be read', () => {
    const { health } = failedSnapshot();
    const state = afterEvents(connected({ ...incidentSnapshot(), health }), OPEN);
    const table = panelText(state, 'providers');
    expect(table).toContain('health failed: timeout');
    expect(table).toMatch(/\? brevo +unknown +– .* 100 % +24 % gone/);
  });

  it('says so when neither can be read', () => {
    const table = panelText(afterEvents(connected(failedSnapshot()), OPEN), 'providers');
    expect(table).toContain('Providers · failed: timeout');
    expect(table).toContain('Check KV_REST_API_URL.');
  });

  it('names a provider that is not one of the four, in its own row', () => {
    const snapshot = incidentSnapshot();
    if (snapshot.health.state === 'failed' || snapshot.health.value.report === null) throw new Error('no report');
    const report = snapshot.health.value.report;
    const smtp = {
      provider: 'smtp',
      status: 'ok',
      healthScore: 99,
      latencyMs: 3,
      message: null,
      configured: true,
    } as const;
    const health = loaded(
      { ...snapshot.health.value, report: { ...report, providers: [...report.providers, smtp] } },
      NOON,
    );
    expect(panelText(afterEvents(connected({ ...snapshot, health }), OPEN), 'providers')).toMatch(/✓ smtp +ok +99/);
  });

  it.each([60, 80, 100, 119, 160, 200])('keeps every line within its panel at %d columns', (columns) => {
    for (const rows of [16, 24, 36, 60]) {
      const size = { columns, rows };
      for (const pressed of [[], ['enter']]) {
        const state = afterEvents(incident({ size }), historyEvent(), ...keys(...pressed), detailsEvent('resend'));
        const tooWide = frameOf(state).flatMap(({ id, rect, frame, lines }) => {
          const room = frame === null ? rect.width : inside(rect).width;
          return lines.filter((each) => widthOf(each) > room).map((each) => `${id}: ${textOf(each)}`);
        });
        expect(tooWide).toEqual([]);
      }
    }
  });
});

describe('the hands of the view of providers', () => {
  const opened = (changes = {}) => afterEvents(incident(changes), statesEvent([aProviderState()]));
  const onBrevo = (changes = {}) => afterEvents(opened(changes), ...keys('down'));

  it('takes the circuit and the rates live from Postgres where they are kept there', () => {
    const circuit = { ...NO_RECORD.circuit, state: 'open', nextRetryAtEpochMs: NOON + 30_000 } as const;
    const record = {
      ...NO_RECORD,
      circuit,
      totalRequests: 9,
      consecutiveFailures: 5,
      weighedAtEpochMs: NOON,
      weight: 5,
    };
    const live = aProviderState({ record: { ...record, lastError: 'HTTP 503 for maria@example.org' } });
    const state = afterEvents(incident(), statesEvent([live]), ...keys('down'));
    expect(panelText(state, 'providers')).toMatch(/✗ brevo +down +15 open +0 %/);
    expect(panelText(state, 'provider-detail')).toContain('5 failed');
  });

  it('tells no rate of a provider through which nothing went lately', () => {
    const idle = aProviderState({ record: { ...NO_RECORD, totalRequests: 2, weighedAtEpochMs: NOON - 3_600_000 } });
    const state = afterEvents(incident(), statesEvent([idle]), ...keys('down'));
    expect(panelText(state, 'providers')).toMatch(/brevo .* – +– /);
    expect(panelText(state, 'provider-detail')).toContain('none lately, 2 in all');
    expect(panelText(state, 'provider-detail')).not.toContain('0 ms on average');
  });

  it('shows who disabled a provider, until when and why', () => {
    const state = afterEvents(incident(), statesEvent([aProviderState({ disabled: OUT })]), ...keys('down'));
    expect(panelText(state, 'providers')).toMatch(/– brevo +disabled/);
    expect(panelText(state, 'providers')).toContain('until 14:00 UTC by grace@ops-2, "their outage"');
    const later = afterEvents(state, { type: 'tick', nowEpochMs: OUT.untilEpochMs });
    expect(panelText(later, 'providers')).toMatch(/✗ brevo +down/);
    expect([state, later].map((each) => textOf(hintLine(each, 200)).match(/ d (\w+)/)?.[1])).toEqual([
      'enable',
      'disable',
    ]);
  });

  it('resets a circuit after a question', () => {
    const [asked, none] = step(onBrevo(), ...keys('c'));
    expect([asked.dialog, none]).toMatchObject([{ title: 'Reset the circuit of brevo' }, []]);
    expect(step(asked, ...keys('y'))[1]).toMatchObject([
      { kind: 'act', request: { kind: 'reset-circuit', provider: 'brevo' } },
    ]);
  });

  it('has nothing to reset where all is well', () => {
    const well = withMetrics(incidentSnapshot(), { circuitState: 'closed', consecutiveFailures: 0 });
    const [state, effects] = step(connected(well), OPEN, ...keys('down', 'c'));
    expect([state.dialog, effects]).toEqual([null, []]);
    expect(state.notice?.text).toContain('its circuit is closed');
  });

  it('does not go on showing an open circuit that was reset here, until the next check', () => {
    const [acting] = step(connected(withMetrics(incidentSnapshot(), {})), OPEN, ...keys('down', 'c', 'y'));
    expect(panelText(acting, 'providers')).toMatch(/brevo +down +12 open/);
    const [done, effects] = step(acting, { type: 'outcome', id: 1, outcome: { level: 'ok', text: 'closed' } });
    expect(panelText(done, 'providers')).toMatch(/brevo +down +5 –/);
    expect(effects).toContainEqual({ kind: 'refresh' });
  });

  it('asks until when and why, and says who is left to send', () => {
    const asked = afterEvents(onBrevo(), ...keys('d'));
    expect(panelText(asked, 'form')).toContain('Left to send: resend, mailersend, aws_ses.');
    expect(panelText(afterEvents(opened(), ...keys('d')), 'form')).toContain('Left to send: mailersend, aws_ses.');
    const [, effects] = step(asked, ...keys('1', '4', ':', '3', '0', 'tab', 'w', 'h', 'y', 'enter'));
    expect(effects).toMatchObject([
      { request: { kind: 'disable-provider', provider: 'brevo', untilEpochMs: NOON + 2.5 * HOUR_MS, reason: 'why' } },
    ]);
  });

  it('takes an hour where nothing is typed, and refuses what is no time', () => {
    const asked = afterEvents(onBrevo(), ...keys('d'));
    expect(step(asked, ...keys('enter'))[1]).toMatchObject([{ request: { untilEpochMs: NOON + HOUR_MS } }]);
    const [refused, none] = step(asked, ...keys(...'soon', 'enter'));
    expect(none).toEqual([]);
    expect(panelText(refused, 'form')).toContain('a length such as 30m');
  });

  it('warns when nobody else could send', () => {
    const others = (['resend', 'mailersend', 'aws_ses'] as const).map((provider) =>
      aProviderState({ provider, disabled: OUT }),
    );
    const asked = afterEvents(incident(), statesEvent(others), ...keys('down', 'd'));
    expect(panelText(asked, 'form')).toContain('No other provider can send now: no email will leave.');
  });

  it('enables one that is disabled', () => {
    const asked = afterEvents(incident(), statesEvent([aProviderState({ disabled: OUT })]), ...keys('down', 'd'));
    expect(panelText(asked, 'form')).toContain('grace@ops-2 disabled it until 14:00 UTC, "their outage".');
    expect(step(asked, ...keys('y'))[1]).toMatchObject([{ request: { kind: 'enable-provider', provider: 'brevo' } }]);
  });

  it('takes a length and a reason on the command line', () => {
    const command: UiEvent = { type: 'command', name: 'disable', argument: '2h their outage' };
    expect(step(onBrevo(), command)[1]).toMatchObject([
      { request: { kind: 'disable-provider', untilEpochMs: NOON + 2 * HOUR_MS, reason: 'their outage' } },
    ]);
  });

  it('reads the providers again once something was done to them', () => {
    const acting = afterEvents(onBrevo(), ...keys('d', 'enter'));
    const [, effects] = step(acting, { type: 'outcome', id: 1, outcome: { level: 'ok', text: 'done' } });
    expect(effects).toContainEqual({ kind: 'load', view: 'providers', request: { kind: 'provider-states' } });
  });

  it('changes nothing in a read-only console, and says so', () => {
    for (const key of ['c', 'd']) {
      const [state, effects] = step(onBrevo({ readOnly: 'this console is read-only' }), ...keys(key));
      expect([state.dialog, effects]).toEqual([null, []]);
      expect(state.notice?.text).toContain('this console is read-only');
    }
  });
});
