/** What the admin API answers for a run, by how that ended. */
import { expect, it } from 'vitest';
import type { RunOutcome } from '../../src/domain/run.ts';
import { createAdminActions } from '../../src/workers/admin-actions.ts';
import { manualClock } from '../support/clock.ts';

function statusOf(outcome: RunOutcome, stopping = new AbortController()): Promise<number> {
  const result = { outcome, message: 'Ended.', processed: 0, successful: 0, failed: 0, durationMs: 1 };
  const worker = { run: async () => result };
  const workers = { 'queue-processor': worker, 'health-monitor': worker, 'quota-sync': worker };
  const actions = createAdminActions({
    lock: null,
    workers,
    clock: manualClock(0),
    host: 'web-1',
    signal: stopping.signal,
  });
  return actions.run({ worker: 'queue-processor', wait: true }).then(({ status }) => status);
}

it('answers 500 only for a run that wants to be asked for again', async () => {
  expect(await statusOf('ok')).toBe(200);
  expect(await statusOf('skipped')).toBe(200);
  expect(await statusOf('failed')).toBe(500);
  // Ended by a pause.
  expect(await statusOf('aborted')).toBe(200);
  const stopping = new AbortController();
  stopping.abort();
  expect(await statusOf('aborted', stopping)).toBe(500);
});
