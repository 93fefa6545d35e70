/** What is said of deliveries that are refused because clocks differ. */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { signDelivery } from '../../src/sandbox/qstash/signature.ts';
import { createDeliveryCheck } from '../../src/workers/delivery-check.ts';

const BASE = 'https://foodshare.example';
const PATH = '/api/email/worker/queue-processor';
const KEY = 'the-current-key';

const check = createDeliveryCheck({
  signingKeys: { current: KEY, next: 'the-next-key' },
  baseUrl: BASE,
  cronSecret: null,
  isDevelopment: false,
});

async function reasonFor(signature: string): Promise<string | null> {
  const headers = { 'upstash-signature': signature };
  const checked = await check(new Request(BASE + PATH, { method: 'POST', body: '{}', headers }), PATH);
  return checked.kind === 'refused' ? checked.reason : null;
}

const signedAt = (nowEpochMs: number) => signDelivery(KEY, { url: BASE + PATH, body: Buffer.from('{}'), nowEpochMs });

describe('a signed delivery', () => {
  test('is accepted where clocks agree', async () => {
    expect(await reasonFor(signedAt(Date.now()))).toBeNull();
  });

  test('that comes from later than this machine’s clock tells is refused with a word on the clock', async () => {
    expect(await reasonFor(signedAt(Date.now() + 5 * MINUTE_MS))).toMatch(
      /at a later time than it is here: check the clock/,
    );
  });

  test('that has expired is refused as such', async () => {
    expect(await reasonFor(signedAt(Date.now() - 10 * MINUTE_MS))).toMatch(
      /It has expired, or the clock here is ahead/,
    );
  });

  test.each(['x', 'a.b.c', `a.${btoa('null')}.c`, `a.${btoa('{"nbf":{}}')}.c`])(
    'that is no signature (%s) is refused without one',
    async (signature) => {
      expect(await reasonFor(signature)).not.toMatch(/clock/);
    },
  );
});
