/**
 * The lock's scripts in a real Redis against a model of them in a few lines: several workers, operators and strangers, in any
 * order, with replies that get lost, locks that expire, and others that write into the same keys.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockKeys } from '../../src/data/keys.ts';
import { createQueueLock, MAX_SLOTS, type QueueLock } from '../../src/data/queue-lock.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { formatPause, type Pause } from '../../src/domain/lock.ts';
import { systemClock } from '../../src/domain/time.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';

const ANNOUNCED = 'email:queue:pause';
const KEYS = [ANNOUNCED, ...lockKeys(MAX_SLOTS)];
const MINUTE = 60_000;
const HOLDERS = ['worker/a/1/t1', 'worker/a/2/t2', 'worker/b/1/t3'];
const PAUSES: readonly Pause[] = ['ada', 'grace'].map((operator) => ({
  operator,
  host: 'desk',
  startedAtEpochMs: 1_795_000_000_000,
  reason: 'a/b@c %',
}));
/** What legacy workers and strangers write. The last one counts as free. */
const STRANGE = ['6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', 'pause/nobody', '\x1b[2J', ''];

type Operation =
  | { readonly do: 'acquire' | 'release'; readonly holder: string; readonly isLost: boolean }
  | { readonly do: 'renew'; readonly holder: string; readonly slot: number; readonly isLost: boolean }
  | { readonly do: 'pause' | 'advance'; readonly pause: Pause; readonly force: boolean; readonly isLost: boolean }
  | { readonly do: 'resume' | 'extend'; readonly pause: Pause; readonly isLost: boolean }
  | { readonly do: 'expire'; readonly key: number }
  | { readonly do: 'overwrite'; readonly key: number; readonly value: string };

/** The keys as they should be: the announcement, then the slots. */
type Model = (string | null)[];

const isPause = (value: string | null | undefined) => value?.startsWith('pause/') === true;

function advance(model: Model, slots: number, force: boolean): { busy: number } {
  const [pause] = model;
  if (!pause) return { busy: 0 };
  let busy = 0;
  for (let slot = 1; slot < model.length; slot += 1) {
    const value = model[slot];
    const isWorker = Boolean(value) && !isPause(value);
    if (isWorker && !force) busy += 1;
    else if (isWorker || (!value && slot <= slots)) model[slot] = pause;
  }
  if (busy === 0) model[0] = null;
  return { busy };
}

/** Changes the model, and answers what the lock must answer, as far as the model knows. */
function expected(model: Model, operation: Operation, slots: number): unknown {
  switch (operation.do) {
    case 'acquire': {
      advance(model, slots, false);
      const free = model.findIndex((value, index) => index > 0 && index <= slots && !value);
      if (model.some(isPause) || free < 0) return { kind: 'busy' };
      model[free] = operation.holder;
      return { kind: 'acquired', slot: free };
    }
    case 'renew':
      return { kind: model[operation.slot] === operation.holder ? 'ours' : 'lost' };
    case 'release': {
      const own = model.flatMap((value, index) => (index > 0 && value === operation.holder ? [index] : []));
      for (const index of own) model[index] = null;
      advance(model, slots, false);
      return own.length > 0;
    }
    case 'pause': {
      const value = formatPause(operation.pause);
      if (model.some((each) => isPause(each) && each !== value)) return { kind: 'exists' };
      model[0] = value;
      const { busy } = advance(model, slots, operation.force);
      return busy === 0 ? { kind: 'paused' } : { kind: 'waiting', holders: busy };
    }
    case 'advance': {
      const value = formatPause(operation.pause);
      if (model[0] !== value) return { kind: model.slice(1).includes(value) ? 'paused' : 'gone' };
      const { busy } = advance(model, slots, operation.force);
      return busy === 0 ? { kind: 'paused' } : { kind: 'waiting', holders: busy };
    }
    case 'resume': {
      const value = formatPause(operation.pause);
      const isThere = model.includes(value);
      for (const [index, each] of model.entries()) if (each === value) model[index] = null;
      return isThere;
    }
    case 'extend':
      return model.includes(formatPause(operation.pause)) ? { operator: operation.pause.operator } : null;
    case 'expire':
      model[operation.key] = null;
      return undefined;
    case 'overwrite':
      model[operation.key] = operation.value;
      return undefined;
    default:
      return operation satisfies never;
  }
}

async function perform(lock: QueueLock, redis: RedisConnection['client'], operation: Operation): Promise<unknown> {
  switch (operation.do) {
    case 'acquire':
      return lock.acquire(operation.holder, MINUTE);
    case 'renew':
      return lock.renew(operation.holder, operation.slot, MINUTE);
    case 'release':
      return lock.release(operation.holder);
    case 'pause':
      return lock.pause(operation.pause, { forMs: MINUTE, force: operation.force });
    case 'advance':
      return lock.advance(formatPause(operation.pause), { force: operation.force });
    case 'resume':
      return lock.resume(formatPause(operation.pause));
    case 'extend':
      return lock.extend(
        { ...operation.pause, value: formatPause(operation.pause), expiresAtEpochMs: null },
        { forMs: MINUTE },
      );
    case 'expire':
      await redis.del(KEYS[operation.key] ?? '');
      return undefined;
    case 'overwrite':
      await redis.set(KEYS[operation.key] ?? '', operation.value, { px: MINUTE });
      return undefined;
    default:
      return operation satisfies never;
  }
}

const holder = fc.constantFrom(...HOLDERS);
const pause = fc.constantFrom(...PAUSES);
const isLost = fc.boolean();
const anOperation = (slots: number): fc.Arbitrary<Operation> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('acquire', 'release'), holder, isLost }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('renew'), holder, slot: fc.integer({ min: 1, max: slots }), isLost }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constantFrom('pause', 'advance'), pause, force: fc.boolean(), isLost }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('resume', 'extend'), pause, isLost }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('expire'), key: fc.integer({ min: 0, max: slots }) }) },
    fc.record({
      do: fc.constant('overwrite'),
      key: fc.integer({ min: 1, max: slots }),
      value: fc.constantFrom(...STRANGE, ...HOLDERS),
    }),
  ) as fc.Arbitrary<Operation>;

const aCase = fc
  .integer({ min: 1, max: 3 })
  .chain((slots) =>
    fc.record({ slots: fc.constant(slots), operations: fc.array(anOperation(slots), { maxLength: 40 }) }),
  );

describe.skipIf(isRedisServerMissing())('the queue lock, against a model of it', () => {
  let server: RedisServer;
  let connection: RedisConnection;

  beforeAll(async () => {
    server = await startRedisServer();
    connection = connectRedis({ kind: 'tcp', url: server.url });
  });
  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  it('does what the model does, whoever comes in which order and whatever is lost', async () => {
    const redis = connection.client;
    await fc.assert(
      fc.asyncProperty(aCase, async ({ slots, operations }) => {
        await redis.flushall();
        const lock = createQueueLock(redis, systemClock, slots);
        const model: Model = KEYS.map(() => null);
        for (const operation of operations) {
          const answer = await perform(lock, redis, operation);
          const wanted = expected(model, operation, slots);
          // A reply that is lost had its effect; whoever lost it asks again, with any of the operations that follow.
          const isHeard = !('isLost' in operation && operation.isLost);
          if (isHeard && typeof wanted === 'object' && wanted !== null) expect(answer).toMatchObject(wanted);
          else if (isHeard) expect(answer).toEqual(wanted);
          const values = await redis.mget<(string | null)[]>(...KEYS);
          expect(values.map((value) => value || null)).toEqual(model.map((value) => value || null));
        }
        // Nothing of ours stays for ever: whoever dies, the queue goes on by itself.
        for (const key of KEYS) expect(await redis.pttl(key)).not.toBe(-1);
      }),
      { numRuns: 150 },
    );
  });

  it('never lets in more workers than slots, nor any while a pause stands, however many ask at once', async () => {
    const redis = connection.client;
    await fc.assert(
      fc.asyncProperty(aCase, fc.integer({ min: 2, max: 8 }), async ({ slots, operations }, atOnce) => {
        await redis.flushall();
        const lock = createQueueLock(redis, systemClock, slots);
        const own = operations.filter((each) => each.do !== 'overwrite' && each.do !== 'expire');
        for (let index = 0; index < own.length; index += atOnce) {
          await Promise.all(own.slice(index, index + atOnce).map((operation) => perform(lock, redis, operation)));
          const [announced, ...held] = await redis.mget<(string | null)[]>(...KEYS);
          expect(held.filter((value) => value !== null).length).toBeLessThanOrEqual(slots);
          const workers = held.filter((value) => value?.startsWith('worker/')).length;
          const answer = await lock.acquire('worker/late/1/t9', MINUTE);
          if (announced !== null || held.some(isPause)) expect(answer.kind).toBe('busy');
          else expect(answer.kind).toBe(workers < slots ? 'acquired' : 'busy');
          await lock.release('worker/late/1/t9');
        }
      }),
      { numRuns: 60 },
    );
  });
});
