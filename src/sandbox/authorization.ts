/** Whether a request to the sandbox carries the key of this start. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** True when `Authorization: Bearer …` or, as Supabase's newer keys are sent, `apikey` equals `key`. */
export function isAuthorized(request: Request, key: string): boolean {
  const bearer = /^bearer\s+(.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  return [bearer, request.headers.get('apikey')].some((given) => given != null && isSame(given.trim(), key));
}

function isSame(given: string, key: string): boolean {
  return timingSafeEqual(digest(given), digest(key));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
