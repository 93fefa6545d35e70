/**
 * Whether a caller carries one of the service keys: a legacy `service_role` JWT or a new `sb_secret_…` key. The new ones are no
 * JWTs, so the platform cannot check them (`verify_jwt = false`) and this file is the only door.
 */

export type Authorization = (request: Request) => Promise<boolean>;

/** Whether `Authorization: Bearer …` or `apikey` is one of `keys`. Never true without keys. */
export function createAuthorization(keys: readonly string[]): Authorization {
  const expected = Promise.all(keys.filter((key) => key !== '').map(digest));
  return async (request) => {
    const bearer = /^bearer\s+(.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]?.trim();
    const apikey = request.headers.get('apikey')?.trim();
    let isKnown = false;
    for (const given of new Set([bearer, apikey])) {
      if (given === undefined || given === '') continue;
      const actual = await digest(given);
      // All of them are compared in full, so that the time taken says nothing.
      for (const each of await expected) isKnown = isSame(actual, each) || isKnown;
    }
    return isKnown;
  };
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}
