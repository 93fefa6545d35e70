import { expect, test } from 'vitest';
import { FaultError } from '../../src/data/fault.ts';
import { claimBatch } from '../../src/workers/claiming.ts';
import { anEmail } from '../support/emails.ts';

const timeout = new FaultError({ code: 'timeout', message: 'Postgres did not answer in time.' });

function aQueue(worksFrom: number, heldBy: () => Promise<string[]> = async () => ['unseen', 'known']) {
  const limits: number[] = [];
  const released: string[] = [];
  const claimed = claimBatch(100, {
    worker: 'w',
    leaseSeconds: 60,
    known: () => ['known'],
    onLost: () => undefined,
    queue: {
      claim: async ({ limit }) => {
        limits.push(limit);
        if (limit > worksFrom) throw timeout;
        return { emails: [anEmail()], unreadable: 0 };
      },
      heldBy,
      release: async ({ ids }) => {
        released.push(...ids);
        return ids;
      },
    },
  });
  return { claimed, limits, released };
}

test('a batch that takes too long is given back and tried smaller', async () => {
  const { claimed, limits, released } = aQueue(5);
  expect(await claimed).toMatchObject({ limit: 4, emails: [{}] });
  expect(limits).toEqual([100, 20, 4]);
  expect(released).toEqual(['unseen', 'unseen']);
});

test('a queue that does not answer at all is not asked forever', async () => {
  const { claimed, limits } = aQueue(0);
  await expect(claimed).rejects.toBe(timeout);
  expect(limits).toEqual([100, 20, 4, 1]);
});

test('when not even that can be asked what is held, the leases end by themselves', async () => {
  const { claimed, limits } = aQueue(5, () => Promise.reject(new Error('away')));
  await expect(claimed).rejects.toBe(timeout);
  expect(limits).toEqual([100]);
});
