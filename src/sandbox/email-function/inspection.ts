/** What only the sandbox's function offers, over the same authenticated HTTP: its outbox, and the providers' weather. */
import { z } from 'zod';
import { isProvider, PROVIDERS } from '../../domain/email.ts';
import { type Controls, controlChangeSchema } from './controls.ts';
import type { Outbox, SendAttempt } from './outbox.ts';

const LIST_LIMIT = 10_000;

const listSchema = z.object({
  limit: z.coerce.number().int().min(0).max(LIST_LIMIT).default(100),
  /** ISO time or epoch ms. */
  since: z
    .string()
    .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
    .refine(Number.isFinite, 'no time')
    .optional(),
  provider: z.enum(PROVIDERS).optional(),
  outcome: z.enum(['delivered', 'failed']).optional(),
  key: z.string().optional(),
  to: z.string().optional(),
});

/**
 * `GET /outbox?limit=&since=&provider=&outcome=&key=&to=`, `GET /outbox/summary`, `GET /providers`,
 * `POST /providers/<name>` with a change of its control, `DELETE /providers/<name>` back to an ordinary day.
 */
export async function answerInspection(
  request: Request,
  path: string,
  query: URLSearchParams,
  parts: { readonly outbox: Outbox; readonly controls: Controls },
): Promise<Response> {
  const { outbox, controls } = parts;
  switch (`${request.method} ${path}`) {
    case 'GET /outbox': {
      const filter = listSchema.safeParse(Object.fromEntries(query));
      if (!filter.success) return Response.json({ error: z.prettifyError(filter.error) }, { status: 400 });
      const { since: sinceEpochMs, key: idempotencyKey, ...rest } = filter.data;
      return Response.json({ attempts: outbox.list({ ...rest, sinceEpochMs, idempotencyKey }).map(describe) });
    }
    case 'GET /outbox/summary':
      return Response.json(outbox.summary());
    case 'GET /providers':
      return Response.json(controls.all());
  }
  const name = /^\/providers\/([^/]+)$/.exec(path)?.[1];
  if (name === undefined) return Response.json({ error: 'Not found' }, { status: 404 });
  if (!isProvider(name)) {
    return Response.json({ error: 'Unknown provider', validProviders: PROVIDERS }, { status: 400 });
  }
  if (request.method === 'DELETE') {
    controls.reset(name);
    return Response.json(controls.get(name));
  }
  if (request.method !== 'POST') return Response.json({ error: 'Method not allowed' }, { status: 405 });
  const change = controlChangeSchema.safeParse(await request.json().catch(() => null));
  if (!change.success) return Response.json({ error: z.prettifyError(change.error) }, { status: 400 });
  return Response.json(controls.set(name, change.data));
}

/** Outside, times are ISO. */
function describe({ atEpochMs, ...attempt }: SendAttempt) {
  return { at: new Date(atEpochMs).toISOString(), ...attempt };
}
