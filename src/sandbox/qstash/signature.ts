/** The `Upstash-Signature` of a delivery: a JWT that the SDK's Receiver accepts for five minutes. */
import { createHash, createHmac, randomBytes } from 'node:crypto';

const VALID_SECONDS = 300;

export function signDelivery(
  key: string,
  delivery: { readonly url: string; readonly body: Uint8Array; readonly nowEpochMs: number },
): string {
  const issuedAt = Math.floor(delivery.nowEpochMs / 1_000);
  const unsigned = [
    { alg: 'HS256', typ: 'JWT' },
    {
      iss: 'Upstash',
      sub: delivery.url,
      exp: issuedAt + VALID_SECONDS,
      nbf: issuedAt,
      iat: issuedAt,
      jti: `jwt_${randomBytes(18).toString('base64url')}`,
      body: createHash('sha256').update(delivery.body).digest('base64url'),
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${unsigned}.${createHmac('sha256', key).update(unsigned).digest('base64url')}`;
}
