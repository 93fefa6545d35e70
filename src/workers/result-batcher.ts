/**
 * Writes results soon, but together (DESIGN §6.5): after 50 ms or 25 results, one write at a time. Where emails end fast the
 * batches grow, where they end one by one a batch may wait up to 250 ms, because every write is a round trip that somebody
 * pays for. A write that fails is repeated with the same results: the database takes each of them once.
 */
import type { Finished } from '../data/queue.ts';
import type { EmailResult } from '../domain/email.ts';

export interface ResultBatcher {
  add(result: EmailResult): void;
  /** Resolves when it makes sense to send more: results get through and do not pile up. Rejects when `signal` aborts. */
  ready(signal: AbortSignal): Promise<void>;
  /** Writes what is left, at once; gives up after `giveUpMs` and answers what is not known to be written. */
  drain(giveUpMs: number): Promise<readonly EmailResult[]>;
}

export interface ResultBatcherOptions {
  readonly write: (results: readonly EmailResult[]) => Promise<Finished>;
  readonly onWritten: (results: readonly EmailResult[], answer: Finished) => void;
  /** Told of every failed write, with how many results wait now. */
  readonly onFailed: (error: unknown, waiting: number) => void;
}

const WAIT_MS = 50;
const WAIT_AT_MOST_MS = 250;
const BATCH = 25;
const LARGEST_BATCH = 200;
/** Beyond this no email is started until some are written: each one could be sent again if we died now. */
const PILE = 400;
/** The right to write after only 50 ms: each result earns some of it, each write takes 1. */
const ALLOWANCE_PER_RESULT = 0.08;
const ALLOWANCE_AT_START = 3;
const RETRY_FIRST_MS = 200;
const RETRY_AT_MOST_MS = 5_000;

export function createResultBatcher(options: ResultBatcherOptions): ResultBatcher {
  let waiting: EmailResult[] = [];
  let oldestAtMs = 0;
  let inWrite: readonly EmailResult[] = [];
  let pumping: Promise<void> | null = null;
  let wake: (() => void) | null = null;
  let allowance = ALLOWANCE_AT_START;
  let batch = BATCH;
  let largest = LARGEST_BATCH;
  let failures = 0;
  let isDraining = false;
  let isGivenUp = false;
  const blocked = new Set<() => void>();

  const isClear = () => failures === 0 && waiting.length < PILE;

  const pump = async (): Promise<void> => {
    while (waiting.length > 0 && !isGivenUp) {
      await untilDue();
      await writeSome();
      if (isClear()) for (const unblock of blocked) unblock();
    }
    pumping = null;
  };

  const untilDue = async (): Promise<void> => {
    for (;;) {
      const ageMs = performance.now() - oldestAtMs;
      const waitMs = allowance >= 1 ? WAIT_MS : WAIT_AT_MOST_MS;
      if (isDraining || waiting.length >= batch || ageMs >= waitMs) return;
      await sleep(waitMs - ageMs);
    }
  };

  const writeSome = async (): Promise<void> => {
    const isFast = waiting.length >= batch && performance.now() - oldestAtMs < WAIT_MS;
    // Full before its time: the next batch may be larger, so that fast sends do not mean many writes.
    batch = isFast ? Math.min(batch * 2, LARGEST_BATCH) : BATCH;
    allowance = Math.max(0, allowance - 1);
    inWrite = waiting.slice(0, largest);
    waiting = waiting.slice(inWrite.length);
    oldestAtMs = performance.now();
    try {
      const answer = await options.write(inWrite);
      failures = 0;
      largest = LARGEST_BATCH;
      options.onWritten(inWrite, answer);
      inWrite = [];
    } catch (error) {
      failures += 1;
      // Should the database choke on one of them, smaller batches in changing order let the others through.
      largest = Math.max(1, Math.ceil(inWrite.length / 2));
      waiting = [...waiting, ...inWrite];
      inWrite = [];
      options.onFailed(error, waiting.length);
      await sleep(Math.min(RETRY_AT_MOST_MS, RETRY_FIRST_MS * 2 ** (failures - 1)));
      oldestAtMs = Number.NEGATIVE_INFINITY;
    }
  };

  /** Until the time is over or somebody calls `wake`. */
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      wake = done;
    });

  return {
    add: (result) => {
      if (waiting.length === 0) oldestAtMs = performance.now();
      waiting.push(result);
      allowance += ALLOWANCE_PER_RESULT;
      pumping ??= pump();
      if (failures === 0 && waiting.length >= batch) wake?.();
    },
    ready: async (signal) => {
      while (!isClear()) await untilUnblocked(blocked, signal);
    },
    drain: async (giveUpMs) => {
      isDraining = true;
      if (failures === 0) wake?.();
      const giveUp = setTimeout(() => {
        isGivenUp = true;
        wake?.();
      }, giveUpMs);
      await pumping;
      clearTimeout(giveUp);
      return [...inWrite, ...waiting];
    },
  };
}

function untilUnblocked(blocked: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const unblock = () => {
      blocked.delete(unblock);
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const stop = () => {
      blocked.delete(unblock);
      reject(signal.reason);
    };
    blocked.add(unblock);
    signal.addEventListener('abort', stop, { once: true });
  });
}
