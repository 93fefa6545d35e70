import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAttachments } from '../../src/sandbox/attachments.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function attachmentsWithSpy() {
  const onAbandoned = vi.fn();
  return { onAbandoned, attachments: createAttachments({ graceMs: 2_000, startGraceMs: 30_000, onAbandoned }) };
}

test('a sandbox that nobody ever joins is abandoned after its first grace', () => {
  const { onAbandoned } = attachmentsWithSpy();
  vi.advanceTimersByTime(29_999);
  expect(onAbandoned).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onAbandoned).toHaveBeenCalledOnce();
});

test('it is abandoned only when the last of several consoles has left', async () => {
  const { onAbandoned, attachments } = attachmentsWithSpy();
  const first = attachments.hold();
  const second = attachments.hold();
  expect(attachments.count()).toBe(2);
  await first.body?.cancel();
  vi.advanceTimersByTime(60_000);
  expect(onAbandoned).not.toHaveBeenCalled();
  await second.body?.cancel();
  vi.advanceTimersByTime(2_000);
  expect(onAbandoned).toHaveBeenCalledOnce();
});

test('a console that joins within the grace keeps it alive', async () => {
  const { onAbandoned, attachments } = attachmentsWithSpy();
  await attachments.hold().body?.cancel();
  vi.advanceTimersByTime(1_999);
  attachments.hold();
  vi.advanceTimersByTime(60_000);
  expect(onAbandoned).not.toHaveBeenCalled();
});
