import { describe, expect, it } from 'vitest';
import { loaded } from '../../src/domain/loaded.ts';
import { createPrometheus } from '../../src/workers/prometheus.ts';
import { aBlindSnapshot, anOverview, aSnapshot, NOON } from '../support/snapshot.ts';

async function samples(snapshot: Parameters<ReturnType<typeof createPrometheus>['render']>[0]) {
  const text = await createPrometheus().render(snapshot);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
}

describe('/metrics', () => {
  it('shows the queue in base units', async () => {
    const overview = anOverview({
      counts: { queued: 12, processing: 3, failed: 1, completed: 1_000 },
      ready: 5,
      oldestReadyAtEpochMs: NOON - 90_000,
    });
    const shown = await samples(aSnapshot({ queue: loaded(overview, NOON) }));
    expect(shown.get('email_queue_emails{status="queued"}')).toBe('12');
    expect(shown.get('email_queue_ready_emails')).toBe('5');
    expect(shown.get('email_queue_oldest_ready_age_seconds')).toBe('90');
    expect(shown.get('email_provider_quota_limit{provider="resend",window="month"}')).toBe('3000');
    expect(shown.get('email_lock_held{state="free"}')).toBe('1');
  });

  it('shows what is not known as unknown, never as zero', async () => {
    const shown = await samples(aBlindSnapshot({ code: 'timeout', message: 'No answer.' }));
    expect(shown.get('email_queue_ready_emails')).toBe('Nan');
    expect(shown.has('email_queue_emails{status="queued"}')).toBe(false);
    expect(shown.get('email_source_up{part="queue"}')).toBe('0');
    expect(shown.get('email_verdict_level')).toBe('3');
  });

  it('says nothing of what is not configured', async () => {
    const shown = await samples(aBlindSnapshot({ code: 'not-configured', message: 'Not set.' }));
    expect([...shown.keys()].filter((name) => name.startsWith('email_source_up'))).toEqual([]);
  });

  it('counts the runs of this process', async () => {
    const metrics = createPrometheus();
    const result = { outcome: 'ok', processed: 5, successful: 4, failed: 1, message: '', durationMs: 1_500 } as const;
    metrics.countRun('queue-processor', result);
    metrics.countRun('health-monitor', result);
    const text = await metrics.render(aSnapshot());
    expect(text).toContain('email_worker_runs_total{worker="queue-processor",outcome="ok"} 1');
    expect(text).toContain('email_worker_emails_total{outcome="sent"} 4');
    expect(text).toContain('email_worker_run_duration_seconds_sum{worker="queue-processor"} 1.5');
  });
});
