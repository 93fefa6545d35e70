import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createFrames } from '../../src/ui/frames.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('draws at once after a pause, and never more than ten times a second', () => {
  const draw = vi.fn();
  const frames = createFrames(draw, Date.now);
  frames.request(false);
  expect(draw).toHaveBeenCalledTimes(1);
  for (let ms = 0; ms < 1_000; ms += 5) {
    vi.advanceTimersByTime(5);
    frames.request(false);
  }
  expect(draw.mock.calls.length).toBeLessThanOrEqual(11);
  expect(draw.mock.calls.length).toBeGreaterThanOrEqual(9);
  frames.stop();
});

it('answers a key at once though data was drawn just before', () => {
  const draw = vi.fn();
  const frames = createFrames(draw, Date.now);
  frames.request(false);
  vi.advanceTimersByTime(10);
  frames.request(true);
  expect(draw).toHaveBeenCalledTimes(2);
  frames.request(true);
  expect(draw).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(100);
  expect(draw).toHaveBeenCalledTimes(3);
});

it('draws nothing more once it was stopped', () => {
  const draw = vi.fn();
  const frames = createFrames(draw, Date.now);
  frames.request(false);
  frames.request(false);
  frames.stop();
  vi.advanceTimersByTime(1_000);
  expect(draw).toHaveBeenCalledTimes(1);
});
