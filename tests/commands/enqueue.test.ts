import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BadLine, parseLine, readLines } from '../../src/commands/email-lines.ts';
import { enqueueAll, type Progress } from '../../src/commands/enqueue-batches.ts';
import { FaultError } from '../../src/data/fault.ts';
import type { Enqueued } from '../../src/data/queue.ts';
import type { NewEmail } from '../../src/domain/email.ts';

const signal = new AbortController().signal;
const GOOD = { to: 'a@example.org', subject: 'Hi', html: '<p>Hi</p>' };

async function* chunks(...parts: (string | Uint8Array)[]) {
  yield* parts;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function lines(text: string, keyPrefix: string | null = null) {
  return readLines(chunks(text), { keyPrefix, type: 'notification', signal });
}

describe('a line', () => {
  it('becomes an email, its content in templateData', () => {
    expect(parseLine(JSON.stringify({ ...GOOD, text: 'Hi', type: 'chat', key: 'k', template: 't' }), 1, null)).toEqual({
      ok: true,
      line: 1,
      email: {
        recipientEmail: 'a@example.org',
        emailType: 'chat',
        templateName: 't',
        key: 'k',
        templateData: { subject: 'Hi', html: '<p>Hi</p>', text: 'Hi' },
      },
    });
  });

  it('may have the names of the table', () => {
    const line = { recipientEmail: 'a@b.org', emailType: 'auth', templateData: { subject: 's', html: 'h', code: 7 } };
    expect(parseLine(JSON.stringify(line), 1, null)).toMatchObject({ ok: true, email: line });
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'the line: is not a JSON object'],
    ['null', 'the line: is not a JSON object'],
    ['{}', 'to: missing'],
    [JSON.stringify({ ...GOOD, to: 'nobody' }), 'to: is not an address'],
    [JSON.stringify({ ...GOOD, subject: ' ' }), 'subject: missing'],
    [JSON.stringify({ ...GOOD, html: undefined }), 'html: missing'],
    [JSON.stringify({ ...GOOD, type: 'spam' }), /^type: is none of auth, chat, /],
    [JSON.stringify({ ...GOOD, subjekt: 'x' }), 'the line: has an unknown field, subjekt'],
    [JSON.stringify({ ...GOOD, html: 5 }), 'html: is not text'],
    [JSON.stringify({ ...GOOD, key: '' }), 'key: is empty'],
    [JSON.stringify({ ...GOOD, maxAttempts: 2.5 }), 'maxAttempts: is not a whole number from 1 to 20'],
    [JSON.stringify({ ...GOOD, subject: 'a\0b' }), /no database stores/],
    [JSON.stringify({ ...GOOD, templateData: { deep: ['\ud83e'] } }), /no database stores/],
  ])('is refused: %s', (text, reason) => {
    expect(parseLine(text, 3, null)).toEqual({ ok: false, line: 3, reason: expect.stringMatching(reason) });
  });

  it('may speak of what it must not hold, and hold whole pairs written as escapes', () => {
    const text = `{"to":"a@example.org","subject":"\\ud83e\\udd55","html":"\\\\u0000"}`;
    expect(parseLine(text, 1, null)).toMatchObject({
      ok: true,
      email: { templateData: { subject: '🥕', html: '\\u0000' } },
    });
  });

  it('never throws, whatever stands in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ ...GOOD, ...value })),
        ),
        (text) => {
          expect(parseLine(text, 1, null).line).toBe(1);
        },
      ),
    );
  });
});

describe('reading lines', () => {
  it('does not care how the stream is cut, even inside a character', async () => {
    const bytes = new TextEncoder().encode(
      `${JSON.stringify({ ...GOOD, subject: 'Grüße 🥕' })}\r\n\n${JSON.stringify(GOOD)}`,
    );
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: bytes.length })), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const parts = edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge));
        const read = await collect(readLines(chunks(...parts), { keyPrefix: null, type: 'chat', signal }));
        expect(read.map(({ line }) => line)).toEqual([1, 3]);
        expect(read[0]).toMatchObject({ email: { templateData: { subject: 'Grüße 🥕' }, emailType: 'chat' } });
      }),
    );
  });

  it('gives lines without a key one by their number, so that a second run goes on where the first stopped', async () => {
    const read = await collect(
      lines(`${JSON.stringify(GOOD)}\n${JSON.stringify({ ...GOOD, key: 'own' })}\n`, 'spring'),
    );
    expect(read.map((line) => line.ok && line.email.key)).toEqual(['spring:1', 'own']);
  });

  it('stops when told to, also while the input says nothing', async () => {
    const stop = new AbortController();
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const waiting = readLines(silent, { keyPrefix: null, type: 'chat', signal: stop.signal }).next();
    stop.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });

  it('stops when told to', async () => {
    const aborted = readLines(chunks('{}\n'), { keyPrefix: null, type: 'chat', signal: AbortSignal.abort() });
    await expect(aborted.next()).rejects.toThrow();
  });
});

/** A queue that refuses, as a whole, every batch with one of these subjects in it. */
function aQueue(refused: readonly string[] = []) {
  const stored: NewEmail[] = [];
  const batches: number[] = [];
  const enqueue = async (emails: readonly NewEmail[]): Promise<Enqueued> => {
    batches.push(emails.length);
    if (emails.some(({ templateData }) => refused.includes(String(templateData.subject))))
      throw new FaultError({ code: 'protocol', message: 'Postgres refused a request (23514): a check failed.' });
    stored.push(...emails);
    return { enqueued: emails.length, duplicates: 0, ids: emails.map((_, index) => String(index)) };
  };
  return { enqueue, stored, batches };
}

async function enqueueTexts(texts: readonly string[], queue: Pick<ReturnType<typeof aQueue>, 'enqueue'>) {
  const bad: BadLine[] = [];
  const progress: Progress[] = [];
  const hooks = {
    onBad: (line: BadLine) => bad.push(line),
    onProgress: (each: Progress) => progress.push(each),
    signal,
  };
  return { totals: await enqueueAll(lines(texts.join('\n')), queue, hooks), bad, progress };
}

describe('enqueueing many', () => {
  it('goes in batches of 500', async () => {
    const queue = aQueue();
    const { totals, progress } = await enqueueTexts(Array(1_201).fill(JSON.stringify(GOOD)), queue);
    expect(queue.batches).toEqual([500, 500, 201]);
    expect(totals).toEqual({ enqueued: 1_201, duplicates: 0 });
    expect(progress.map(({ lines }) => lines)).toEqual([500, 1_000, 1_201]);
  });

  it('keeps requests small when emails are large', async () => {
    const queue = aQueue();
    await enqueueTexts(Array(5).fill(JSON.stringify({ ...GOOD, html: 'x'.repeat(400_000) })), queue);
    expect(queue.batches).toEqual([3, 2]);
  });

  it('finds the lines that the database refuses, and enqueues all the others', async () => {
    const texts = Array.from({ length: 300 }, (_, index) => JSON.stringify({ ...GOOD, subject: `s${index}` }));
    const queue = aQueue(['s7', 's250']);
    const { totals, bad } = await enqueueTexts([...texts, '{'], queue);
    expect(totals.enqueued).toBe(298);
    expect(bad.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual([8, 251, 301]);
    expect(queue.batches.length).toBeLessThan(40);
  });

  it('stops when the database is gone, and says how to go on', async () => {
    const fault = { code: 'unreachable', message: 'Postgres is not reachable (ECONNREFUSED).' } as const;
    let calls = 0;
    const enqueue = async (emails: readonly NewEmail[]) => {
      calls += 1;
      if (calls > 1) throw new FaultError(fault);
      return { enqueued: emails.length, duplicates: 0, ids: [] };
    };
    await expect(enqueueTexts(Array(900).fill(JSON.stringify(GOOD)), { enqueue })).rejects.toThrow(
      /^Postgres is not reachable \(ECONNREFUSED\)\. Before that, 500 were enqueued or known\. Emails with a key/,
    );
  });

  it('tells how far it was when it is interrupted', async () => {
    const stop = new AbortController();
    const enqueue = async (emails: readonly NewEmail[]) => {
      stop.abort();
      return { enqueued: emails.length, duplicates: 0, ids: [] };
    };
    const texts = Array(900).fill(JSON.stringify(GOOD)).join('\n');
    const read = readLines(chunks(texts), { keyPrefix: null, type: 'chat', signal: stop.signal });
    const hooks = { onBad: () => undefined, onProgress: () => undefined, signal: stop.signal };
    await expect(enqueueAll(read, { enqueue }, hooks)).rejects.toMatchObject({
      message: expect.stringMatching(/^Stopped\. Before that, 500 were enqueued or known\. Emails with a key/),
      exitCode: 130,
    });
  });
});
