import { describe, expect, it } from 'vitest';
import { parseAlerts } from '../../src/domain/alert.ts';
import { auditMoments, type IncidentSources, incidentOf } from '../../src/domain/incident.ts';
import { incidentHtml } from '../../src/domain/incident-html.ts';
import { incidentMarkdown } from '../../src/domain/incident-markdown.ts';
import { lastValue } from '../../src/domain/loaded.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { CORPUS, dangersIn } from '../support/hostile-text.ts';
import { hostileSnapshots } from '../support/hostile-views.ts';
import { aMetricPoint, aRun, aSnapshot, NOON } from '../support/snapshot.ts';

function sourcesOf(snapshot: Snapshot, changes: Partial<IncidentSources> = {}): IncidentSources {
  return {
    nowEpochMs: NOON,
    sinceEpochMs: NOON - 6 * HOUR_MS,
    environment: snapshot.environment.name,
    author: 'anna@ops-1',
    verdict: verdictOf(snapshot),
    queue: lastValue(snapshot.queue),
    lock: lastValue(snapshot.lock),
    alerts: lastValue(snapshot.alerts),
    runs: lastValue(snapshot.runs)?.runs ?? [],
    points: lastValue(snapshot.metrics)?.points ?? [],
    actions: [],
    ...changes,
  };
}

const minutesAgo = (minutes: number) => NOON - minutes * MINUTE_MS;
const story = (changes: Partial<IncidentSources>) =>
  incidentOf(sourcesOf(aSnapshot(), changes)).timeline.map(({ what }) => what);

describe('the timeline of an incident', () => {
  it('is alerts, failures and what operators did, in the order of time', () => {
    const alerts = parseAlerts([`CRITICAL: resend is down [${new Date(minutesAgo(50)).toISOString()}]`], {}, NOON);
    const actions = auditMoments([
      { atEpochMs: minutesAgo(40), by: 'anna', host: 'ops-1', action: 'pause', target: 'resend outage', outcome: 'ok' },
      { atEpochMs: minutesAgo(30), by: 'ben', host: 'ops-2', action: 'retry', target: '12 emails', outcome: 'failed' },
    ]);
    const runs = [aRun({ startedAtEpochMs: minutesAgo(45), outcome: 'failed', successful: 0, failed: 10 })];
    expect(story({ alerts, actions, runs })).toEqual([
      'alert, critical: resend is down',
      'run of queue-processor on web-1: failed, 0 sent, 10 failed',
      'anna@ops-1: pause resend outage',
      'ben@ops-2: retry 12 emails (failed)',
    ]);
  });

  it('says the runs without failures between two events in one line for each worker', () => {
    const runs = [60, 58, 56, 20, 18].map((minutes) => aRun({ startedAtEpochMs: minutesAgo(minutes) }));
    const monitor = aRun({ worker: 'health-monitor', startedAtEpochMs: minutesAgo(55), processed: 4, successful: 4 });
    const actions = [{ atEpochMs: minutesAgo(30), kind: 'operator' as const, what: 'anna paused' }];
    expect(story({ runs: [...runs, monitor], actions })).toEqual([
      '3 runs of queue-processor without failures: 30 sent',
      '1 run of health-monitor without failures',
      'anna paused',
      '2 runs of queue-processor without failures: 20 sent',
    ]);
  });

  it('says a failure that repeats once, until it changes or is over', () => {
    const check = (minutes: number, failed: number) =>
      aRun({
        worker: 'health-monitor',
        startedAtEpochMs: minutesAgo(minutes),
        processed: 4,
        successful: 4 - failed,
        failed,
      });
    const runs = [check(50, 1), check(45, 1), check(40, 1), check(35, 2), check(30, 0), check(25, 1)];
    const sent = aRun({ startedAtEpochMs: minutesAgo(42) });
    expect(story({ runs: [...runs.toReversed(), sent] })).toEqual([
      'run of health-monitor on web-1: ok, 4 providers checked, 1 not healthy (3 times, until 11:20)',
      '1 run of queue-processor without failures: 10 sent',
      'run of health-monitor on web-1: ok, 4 providers checked, 2 not healthy',
      '1 run of health-monitor without failures',
      'run of health-monitor on web-1: ok, 4 providers checked, 1 not healthy',
    ]);
  });

  it('leaves out what was before, and counts alerts without a time', () => {
    const alerts = parseAlerts(['ERROR: from a legacy monitor'], {}, NOON);
    const runs = [aRun({ startedAtEpochMs: minutesAgo(7 * 60), error: 'too long ago' })];
    const incident = incidentOf(sourcesOf(aSnapshot(), { alerts, runs }));
    expect(incident.timeline).toEqual([]);
    expect(incident.undatedAlerts).toBe(1);
    expect(incidentMarkdown(incident)).toContain('1 alert without a time');
  });

  it('masks addresses', () => {
    const runs = [aRun({ error: '550 for maria@example.org', outcome: 'failed' })];
    expect(story({ runs }).join()).toContain('m***@example.org');
  });
});

describe('the HTML page', () => {
  const page = (changes: Partial<IncidentSources> = {}) => incidentHtml(incidentOf(sourcesOf(aSnapshot(), changes)));

  it('needs nothing but itself, and may load and run nothing', () => {
    const html = page();
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|\bon\w+=/i);
  });

  it('draws a line for each value that is known, with its gaps', () => {
    const points = [300, 295, 290, 60, 55].map((minutes) => aMetricPoint({ atEpochMs: minutesAgo(minutes) }));
    const charts = page({ points }).split('<svg').slice(1);
    expect(charts).toHaveLength(5);
    const [path = ''] = /<path class="trace first" d="[^"]*"/.exec(charts[1] ?? '') ?? [];
    expect(path.match(/M/g)).toHaveLength(2);
  });

  it('stands without any data', () => {
    const nothing = { queue: undefined, lock: undefined, alerts: undefined, runs: [], points: [], verdict: null };
    const html = page(nothing);
    expect(html).toContain('unknown');
    expect(html).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  const tags = (html: string) => (html.match(/<[^>]*>/g) ?? []).map((tag) => /^<\/?[\w!]+/.exec(tag)?.[0]);
  const pages = (text: string) =>
    hostileSnapshots(text).map((snapshot) =>
      incidentHtml(incidentOf(sourcesOf(snapshot, { author: text, environment: text }))),
    );

  it.each(CORPUS)('has no tag more for %j', (text) => {
    const [plain, hostile] = [pages('x'), pages(text)];
    for (const [index, html] of hostile.entries()) {
      expect(dangersIn(html)).toEqual([]);
      const [expected, found] = [plain[index] ?? '', html].map((each) => tags(each).filter((tag) => tag !== '<tr'));
      expect(new Set(found)).toEqual(new Set(expected));
      expect(html.match(/<[^>]*\bon\w+\s*=/g)).toBeNull();
    }
  });
});
