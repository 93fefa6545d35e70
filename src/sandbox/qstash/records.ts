/** What the sandbox's QStash remembers, as it stands in its journals. Times are epoch ms. */
import { z } from 'zod';

/** How something is to be delivered: what a publish, a batch entry and a schedule have in common. */
export const templateSchema = z.object({
  url: z.string(),
  method: z.string(),
  /** Headers for the destination, without the forwarding prefix. */
  header: z.record(z.string(), z.array(z.string())),
  bodyBase64: z.string(),
  maxRetries: z.number(),
  /** Expression in milliseconds over `retried`; without it, the usual backoff. */
  retryDelay: z.string().optional(),
  callback: z.string().optional(),
  failureCallback: z.string().optional(),
  timeoutMs: z.number(),
  delayMs: z.number(),
  queueName: z.string().optional(),
  labels: z.array(z.string()),
  callerIp: z.string(),
  /** Remembered and shown; the sandbox does not enforce it. */
  flowControl: z
    .object({
      key: z.string(),
      parallelism: z.number().optional(),
      rate: z.number().optional(),
      periodSeconds: z.number().optional(),
    })
    .optional(),
});

export const messageSchema = templateSchema.extend({
  messageId: z.string(),
  scheduleId: z.string().optional(),
  createdAtEpochMs: z.number(),
  /** Not delivered before. Moves with every retry. */
  dueAtEpochMs: z.number(),
  /** Deliveries that failed so far. */
  retried: z.number(),
});

export const SCHEDULE_STATES = ['IN_PROGRESS', 'SUCCESS', 'FAIL'] as const;

export const scheduleSchema = z.object({
  scheduleId: z.string(),
  cron: z.string(),
  template: templateSchema,
  createdAtEpochMs: z.number(),
  isPaused: z.boolean(),
  lastFiredAtEpochMs: z.number().optional(),
  /** What became of the messages of the last firing. */
  lastStates: z.record(z.string(), z.enum(SCHEDULE_STATES)),
});

export const deadLetterSchema = z.object({
  /** `<moved, epoch ms>-<n>`: in the order of arrival. */
  dlqId: z.string(),
  message: messageSchema,
  responseStatus: z.number().optional(),
  responseHeader: z.record(z.string(), z.array(z.string())),
  responseBodyBase64: z.string(),
});

export const queueSchema = z.object({
  name: z.string(),
  parallelism: z.number(),
  paused: z.boolean(),
  createdAtEpochMs: z.number(),
  updatedAtEpochMs: z.number(),
});

export const deduplicationSchema = z.object({ id: z.string(), messageId: z.string(), untilEpochMs: z.number() });

export const keysSchema = z.object({ current: z.string(), next: z.string() });

export const originSchema = z.object({ origin: z.string() });

export const EVENT_STATES = ['CREATED', 'ACTIVE', 'DELIVERED', 'ERROR', 'RETRY', 'FAILED', 'CANCELED'] as const;

export const eventSchema = z.object({
  /** Counts up; pages are cut by it. */
  sequence: z.number(),
  time: z.number(),
  state: z.enum(EVENT_STATES),
  messageId: z.string(),
  url: z.string(),
  method: z.string(),
  labels: z.array(z.string()),
  callerIp: z.string(),
  scheduleId: z.string().optional(),
  queueName: z.string().optional(),
  flowControlKey: z.string().optional(),
  nextDeliveryTime: z.number().optional(),
  error: z.string().optional(),
  responseStatus: z.number().optional(),
  responseBody: z.string().optional(),
});

export type Template = Readonly<z.infer<typeof templateSchema>>;
export type Message = Readonly<z.infer<typeof messageSchema>>;
export type ScheduleRecord = Readonly<z.infer<typeof scheduleSchema>>;
export type DeadLetter = Readonly<z.infer<typeof deadLetterSchema>>;
export type Queue = Readonly<z.infer<typeof queueSchema>>;
export type Deduplication = Readonly<z.infer<typeof deduplicationSchema>>;
export type Keys = Readonly<z.infer<typeof keysSchema>>;
export type QStashEvent = Readonly<z.infer<typeof eventSchema>>;
