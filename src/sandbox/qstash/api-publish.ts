/** Publish, enqueue and batch. */
import { z } from 'zod';
import { SECOND_MS } from '../../domain/time.ts';
import type { Handler } from './api.ts';
import { ApiError } from './errors.ts';
import { contentId, type Publish, type Published } from './publisher.ts';
import { readTemplate } from './template.ts';

const batchSchema = z.array(
  z.object({
    destination: z.string(),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.string().nullish(),
    queue: z.string().optional(),
  }),
);

/** `POST /v2/publish/<destination>`. */
export const publish: Handler = async (call) => {
  const published = publishOne(call.publish, call.rest, call.request.headers, await call.body());
  // 202: it was there already (FACTS, dedup).
  return Response.json(describe(published), { status: published.deduplicated ? 202 : 201 });
};

/** `POST /v2/enqueue/<queue>/<destination>`. */
export const enqueue: Handler = async (call) => {
  const [, queueName = '', destination = ''] = /^([^/]+)\/(.+)$/.exec(call.rest) ?? [];
  if (destination === '') throw new ApiError(400, 'no destination: use /v2/enqueue/<queue>/<url>');
  const headers = new Headers(call.request.headers);
  headers.set('upstash-queue-name', decodeURIComponent(queueName));
  const published = publishOne(call.publish, destination, headers, await call.body());
  return Response.json(describe(published), { status: published.deduplicated ? 202 : 201 });
};

/** `POST /v2/batch`: all are checked before the first is published. */
export const batch: Handler = async (call) => {
  const entries = batchSchema.safeParse(JSON.parse(Buffer.from(await call.body()).toString('utf8')));
  if (!entries.success) throw new ApiError(400, `invalid batch: ${z.prettifyError(entries.error)}`);
  const checked = entries.data.map(({ destination, headers: given, body, queue }) => {
    const headers = readHeaders(given);
    if (queue !== undefined) headers.set('upstash-queue-name', queue);
    return prepare(destination, headers, Buffer.from(body ?? ''));
  });
  return Response.json(checked.map(({ template, details }) => describe(call.publish(template, details))));
};

function publishOne(publishTemplate: Publish, destination: string, headers: Headers, body: Uint8Array): Published {
  const { template, details } = prepare(destination, headers, body);
  return publishTemplate(template, details);
}

function prepare(destination: string, headers: Headers, body: Uint8Array) {
  if (!/^https?[:%]/i.test(destination)) {
    throw new ApiError(404, `url group "${destination}" not found: the sandbox delivers to URLs only`);
  }
  const template = readTemplate(destination, headers, body);
  const isContentBased = headers.get('upstash-content-based-deduplication') === 'true';
  const deduplicationId = headers.get('upstash-deduplication-id') ?? (isContentBased ? contentId(template) : undefined);
  return { template, details: { deduplicationId, notBeforeEpochMs: readNotBefore(headers) } };
}

function readHeaders(given: Record<string, string>): Headers {
  try {
    return new Headers(given);
  } catch (cause) {
    throw new ApiError(400, `invalid headers in batch: ${(cause as Error).message}`, { cause });
  }
}

/** `Upstash-Not-Before` is in epoch seconds. */
function readNotBefore(headers: Headers): number | undefined {
  const text = headers.get('upstash-not-before');
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw new ApiError(400, `invalid Upstash-Not-Before "${text}": use epoch seconds`);
  return Number(text) * SECOND_MS;
}

function describe({ messageId, deduplicated }: Published): Record<string, unknown> {
  return deduplicated ? { messageId, deduplicated } : { messageId };
}
