import { expect, it } from 'vitest';
import { createGiveBack } from '../../src/workers/give-back.ts';
import { anEmail } from '../support/emails.ts';

const NOW = { retryAtEpochMs: null, note: null };

it('counts only what went back: somebody else may have an email by now', async () => {
  const giveBack = createGiveBack({ queue: { release: async ({ ids }) => ids.slice(0, 1) }, worker: 'ours' });
  for (const id of ['a', 'b', 'c']) giveBack.add(anEmail({ id }), NOW);
  await giveBack.flush(() => undefined);
  expect(giveBack.count()).toBe(1);
});

it('counts nothing where the database did not take it', async () => {
  const faults: unknown[] = [];
  const release = async () => {
    throw new Error('Postgres is down.');
  };
  const giveBack = createGiveBack({ queue: { release }, worker: 'ours' });
  giveBack.add(anEmail({ id: 'a' }), NOW);
  await giveBack.flush((error) => faults.push(error));
  expect([giveBack.count(), faults.length]).toEqual([0, 1]);
});
