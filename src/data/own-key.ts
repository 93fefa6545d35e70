/**
 * Our own key in what a system says. Debug pages and proxies repeat the request that they were sent, and their sentences are
 * shown, logged and kept; so a gateway takes its key out of an answer before anybody reads it.
 */

/** `text` with `***` where `key` stands. Too short a key would be found in ordinary words. */
export function withoutKey(text: string, key: string): string {
  return key.length < SHORTEST ? text : text.replaceAll(key, '***');
}

const SHORTEST = 4;

/** A refusal without `key` in its body; every other answer as it is. */
export async function refusalWithoutKey(response: Response, key: string): Promise<Response> {
  if (response.ok) return response;
  const text = await response.clone().text();
  if (withoutKey(text, key) === text) return response;
  const { status, statusText, headers } = response;
  return new Response(withoutKey(text, key), { status, statusText, headers: withoutLength(headers) });
}

/** Length and encoding were those of the bytes before. */
function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ['content-length', 'content-encoding']) kept.delete(name);
  return kept;
}
