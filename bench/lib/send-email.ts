/** Sends one email through the endpoint as our worker does it: the same request, the same body, the same `fetch`. For the peers' handlers. */

export interface Email {
  /** The key by which a provider recognises a repetition. */
  readonly key: string;
  readonly to: string;
  readonly subject: string;
  readonly html: string;
}

/** Throws when the endpoint does not say that it was sent. */
export async function sendEmail(mailUrl: string, { key, to, subject, html }: Email): Promise<void> {
  const response = await fetch(`${mailUrl}/functions/v1/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer bench', apikey: 'bench' },
    body: JSON.stringify({ action: 'send', to, subject, html, provider: 'brevo', idempotencyKey: key }),
    signal: AbortSignal.timeout(15_000),
  });
  const answer = (await response.json()) as { success?: boolean };
  if (answer.success !== true) throw new Error(`HTTP ${response.status}`);
}

/** The `n`th email of a run, the same for every system. */
export function emailNumber(n: number): Email {
  return { key: `email-${n}`, to: `reader+${n}@example.org`, subject: `Number ${n}`, html: '<p>Hello</p>' };
}
