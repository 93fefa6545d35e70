import { Receiver, SignatureError } from '@upstash/qstash';
import { expect, test } from 'vitest';
import type { Keys } from '../../../src/sandbox/qstash/records.ts';
import { startQStash, type TestQStash } from './setup.ts';

const receiverOf = ({ current, next }: Keys) =>
  new Receiver({ currentSigningKey: current, nextSigningKey: next, devMode: false });

async function deliverOne(q: TestQStash) {
  await q.client.publishJSON({ url: `${q.endpoint.url}/api/work?n=1`, body: { hello: 'wörld' } });
  await q.qstash.runDue();
  const delivery = q.endpoint.received.at(-1);
  if (delivery === undefined) throw new Error('nothing arrived');
  return { ...delivery, signature: delivery.headers.get('upstash-signature') ?? '' };
}

test('the Receiver accepts a delivery for its own URL and body', async () => {
  await using q = await startQStash();
  const { signature, body, url } = await deliverOne(q);
  expect(url).toBe(`${q.endpoint.url}/api/work?n=1`);
  await expect(receiverOf(q.qstash.keys).verify({ signature, body, url })).resolves.toBe(true);
});

test('the Receiver refuses another URL, a changed body, another key, and a delivery of five minutes ago', async () => {
  await using q = await startQStash();
  const { signature, body, url } = await deliverOne(q);
  const receiver = receiverOf(q.qstash.keys);
  await expect(receiver.verify({ signature, body, url: `${q.endpoint.url}/api/other` })).rejects.toThrow(
    'invalid subject',
  );
  await expect(receiver.verify({ signature, body: `${body} `, url })).rejects.toThrow('body hash');
  const stranger = receiverOf({ current: 'sig_other', next: 'sig_another' });
  await expect(stranger.verify({ signature, body, url })).rejects.toBeInstanceOf(SignatureError);
  q.clock.advance(-301_000);
  const expired = await deliverOne(q);
  await expect(receiver.verify(expired)).rejects.toBeInstanceOf(SignatureError);
});

test('after one rotation old receivers still accept, after two they do not', async () => {
  await using q = await startQStash();
  const before = q.qstash.keys;
  const rotated = (await q.raw('POST', '/v2/keys/rotate')).body as Keys;
  expect(rotated.current).toBe(before.next);
  expect((await q.raw('GET', '/v2/keys')).body).toEqual(rotated);
  const afterOne = await deliverOne(q);
  await expect(receiverOf(before).verify(afterOne)).resolves.toBe(true);
  await expect(receiverOf(rotated).verify(afterOne)).resolves.toBe(true);
  await q.raw('POST', '/v2/keys/rotate');
  await expect(receiverOf(before).verify(await deliverOne(q))).rejects.toBeInstanceOf(SignatureError);
});

test('keys stay the same over a restart', async () => {
  await using q = await startQStash();
  const before = q.qstash.keys;
  await q.restart();
  expect(q.qstash.keys).toEqual(before);
});
