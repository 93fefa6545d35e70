/** Small parts that every endpoint needs: bodies with a limit, secrets compared in constant time, JSON answers. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { jsonText } from '../domain/json.ts';

/** The body is longer than allowed: 413. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

/** The raw text of a body of at most `limitBytes`. What is longer is not read to its end. @throws BodyTooLargeError */
export async function readBody(request: Request, limitBytes: number): Promise<string> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > limitBytes) throw new BodyTooLargeError(`The body is over ${limitBytes} bytes.`);
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > limitBytes) throw new BodyTooLargeError(`The body is over ${limitBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** True when the request carries exactly this bearer token. Without a secret nobody passes. */
export function hasBearer(request: Request, secret: string | null): boolean {
  const given = /^Bearer ([^\s]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (secret === null || secret === '' || given === undefined) return false;
  // Digests have one length whatever was given, so neither content nor length shows in the time taken.
  return timingSafeEqual(digest(given), digest(secret));
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${jsonText(body)}\n`, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
