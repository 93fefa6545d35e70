import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect, onTestFinished } from 'vitest';
import type { Message } from '../../../src/sandbox/qstash/records.ts';
import { openStore } from '../../../src/sandbox/qstash/store.ts';
import { manualClock } from '../../support/clock.ts';

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of the fixtures from this pattern
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'qstash-store-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
});

function aMessage(messageId: string): Message {
  return {
    messageId,
    url: 'http://127.0.0.1:1/',
    method: 'POST',
    header: {},
    bodyBase64: '',
    maxRetries: 0,
    timeoutMs: 1_000,
    delayMs: 0,
    labels: [],
    callerIp: '127.0.0.1',
    createdAtEpochMs: 0,
    dueAtEpochMs: 0,
    retried: 0,
  };
}

const NO_ANSWER = { responseHeader: {}, responseBodyBase64: '' };

function open(folder: string, clock = manualClock()) {
  const store = openStore(folder, clock);
  onTestFinished(() => store.close());
  return store;
}

test('a kill between filing a dead letter and ending its message leaves only the dead letter', ({ folder }) => {
  const store = open(folder);
  store.messages.put(aMessage('m'));
  store.bury(aMessage('m'), NO_ANSWER);
  // As the journals are when the second step was not written.
  store.messages.put(aMessage('m'));
  const reopened = open(folder);
  expect(reopened.messages.all()).toEqual([]);
  expect(reopened.deadLetters.all().map(({ message }) => message.messageId)).toEqual(['m']);
});

test('dead letters are kept for three days, and their ids stay in order over restarts', ({ folder }) => {
  const clock = manualClock();
  open(folder, clock).bury(aMessage('first'), NO_ANSWER);
  open(folder, clock).bury(aMessage('second'), NO_ANSWER);
  const [first, second] = open(folder, clock).deadLetters.all();
  expect(first?.dlqId).not.toBe(second?.dlqId);
  clock.advance(3 * 86_400_000);
  const later = open(folder, clock);
  later.bury(aMessage('third'), NO_ANSWER);
  expect(later.deadLetters.all().map(({ message }) => message.messageId)).toEqual(['third']);
});

test('the log is bounded in number and age', ({ folder }) => {
  const clock = manualClock();
  const store = open(folder, clock);
  for (let n = 0; n < 25_001; n++) store.events.add('CREATED', aMessage(`m${n}`));
  expect(store.events.newestFirst()).toHaveLength(20_000);
  expect(store.events.newestFirst()[0]?.messageId).toBe('m25000');
  clock.advance(3 * 86_400_000);
  store.events.add('CREATED', aMessage('new'));
  expect(store.events.newestFirst().map(({ messageId }) => messageId)).toEqual(['new']);
  expect(open(folder, clock).events.newestFirst()[0]?.messageId).toBe('new');
});
