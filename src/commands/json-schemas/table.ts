/** What each `--json` prints, command by command: docs/json.md is made of it, and a test runs every command against it. */
import { z } from 'zod';
import { WORKERS } from '../../domain/run.ts';
import { JSON_VERSION } from '../json-line.ts';
import { alert, count, milliseconds, provider, schedule, scheduleOverview, skipped, time } from './parts.ts';
import { emailStory, queueRow, queueRowDead } from './queue.ts';
import { providerState, snapshot } from './snapshot.ts';

export interface JsonSchemaRow {
  /** As it is typed, without `email-ops` and `--json`. */
  readonly commands: readonly string[];
  readonly schema: z.ZodType;
}

const touched = versioned({
  ids: z.array(z.uuid()).describe('those that were changed'),
  skipped: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
});
const sandbox = versioned({
  url: z.string(),
  pid: count,
  scenario: z.string(),
  speed: z.number(),
  startedHere: z.boolean(),
  environment: z.record(z.string(), z.string()).describe('variables that point any program at it, tokens included'),
});
const serviceCost = {
  lines: z.array(z.strictObject({ what: z.string(), perMonth: count })),
  perMonth: count,
  freePerMonth: count,
  plan: z.enum(['free', 'pay-as-you-go', 'fixed']),
  dollars: z.number().describe('US dollars a month'),
};

export const JSON_SCHEMAS: readonly JsonSchemaRow[] = [
  { commands: ['status', 'watch'], schema: versioned(snapshot) },
  {
    commands: ['run'],
    schema: z.union([
      versioned({
        worker: z.enum(WORKERS),
        outcome: z.enum(['ok', 'failed', 'skipped', 'aborted']),
        message: z.string().describe('one line'),
        processed: count,
        successful: count,
        failed: count,
        durationMs: milliseconds,
      }).describe('a run here'),
      versioned({
        worker: z.enum(WORKERS),
        messageId: z.string().describe('of QStash'),
        outcome: z
          .enum(['delivered', 'failed', 'cancelled', 'unknown'])
          .describe('`unknown`: not over when it was followed no longer'),
        error: z.string().nullable(),
      }).describe('with `--remote`'),
    ]),
  },
  {
    commands: ['pause', 'resume'],
    schema: versioned({
      state: z.enum(['paused', 'pausing', 'running']),
      pause: z
        .strictObject({
          operator: z.string(),
          host: z.string(),
          reason: z.string(),
          startedAt: time,
          until: time.nullable(),
        })
        .nullable(),
    }),
  },
  {
    commands: ['queue list'],
    schema: versioned({
      rows: z
        .array(z.union([queueRow.describe('an email'), queueRowDead.describe('with `--dead`')]))
        .describe('addresses masked unless `--unmask`'),
      skipped,
      nextCursor: z.string().nullable().describe('for `--after`; null on the last page'),
    }),
  },
  { commands: ['queue show'], schema: versioned(emailStory) },
  { commands: ['queue retry', 'queue discard'], schema: touched },
  {
    commands: ['queue enqueue'],
    schema: versioned({
      enqueued: count,
      duplicates: count.describe('known already by their key'),
      ids: z.array(z.uuid()).optional().describe('of one email, given by options'),
      bad: z
        .array(z.strictObject({ line: count, reason: z.string() }))
        .optional()
        .describe('of lines, given on stdin'),
    }),
  },
  {
    commands: ['alerts list'],
    schema: versioned({
      alerts: z.array(
        alert.extend({ runbook: z.string().describe('its section in [runbook.md](runbook.md)') }).strict(),
      ),
      skipped,
    }),
  },
  { commands: ['alerts ack'], schema: versioned({ acknowledged: z.array(z.string()).describe('fingerprints') }) },
  { commands: ['providers list'], schema: versioned({ providers: z.array(providerState) }) },
  {
    commands: ['providers disable', 'providers enable', 'providers reset'],
    schema: versioned({
      provider,
      action: z.enum(['disable provider', 'enable provider', 'reset circuit']),
      message: z.string().describe('what happened, for a person'),
    }),
  },
  {
    commands: ['send-test'],
    schema: versioned({
      to: z.string().describe('masked'),
      provider,
      where: z.string().describe('name of the environment'),
      idempotencyKey: z.uuid(),
      isSent: z.boolean(),
      messageId: z.string().nullable(),
      steps: z.array(z.strictObject({ what: z.string(), isFine: z.boolean(), said: z.string() })),
    }),
  },
  { commands: ['schedules list'], schema: versioned(scheduleOverview) },
  {
    commands: ['schedules sync'],
    schema: versioned({
      changes: z
        .array(
          z.discriminatedUnion('kind', [
            z.strictObject({ kind: z.literal('create'), schedule: wantedSchedule(), isPaused: z.boolean() }),
            z.strictObject({
              kind: z.literal('update'),
              schedule: wantedSchedule(),
              changes: z.array(z.string()),
              isPaused: z.boolean(),
            }),
            z.strictObject({ kind: z.literal('remove'), id: z.string() }),
            z.strictObject({ kind: z.literal('keep'), id: z.string(), isPaused: z.boolean() }),
          ]),
        )
        .describe('printed before they are made'),
      messagesPerDay: count,
      fitsFreeTier: z.boolean(),
      woken: z
        .array(z.string())
        .describe('paused schedules that go, whose workers the new one calls again because others that go are active'),
      strangers: z.array(schedule).describe('that call our endpoints under other ids; they are left alone'),
    }),
  },
  {
    commands: ['doctor'],
    schema: versioned({
      checks: z.array(
        z.strictObject({
          group: z.string(),
          name: z.string(),
          state: z.enum(['ok', 'warning', 'failed', 'skipped']),
          detail: z.string(),
          latencyMs: milliseconds.optional(),
          remedy: z.string().optional().describe('what to do'),
        }),
      ),
    }),
  },
  {
    commands: ['cost'],
    schema: versioned({
      usage: z.strictObject({
        emailsPerDay: count,
        schedules: z.enum(['three', 'one-tick', 'none']),
        watchHoursPerDay: z.number(),
        activeHoursPerDay: z.number().describe('of those, hours in which something happens'),
        refreshMs: milliseconds.nullable().describe('null: as the dashboard does it by itself'),
      }),
      qstash: z.strictObject({
        ...serviceCost,
        worstPerMonth: count.describe('if every delivery failed and was repeated'),
      }),
      redis: z.strictObject(serviceCost),
      dollars: z.number().describe('US dollars a month'),
      advice: z.array(z.string()),
    }),
  },
  { commands: ['sandbox', 'sandbox status'], schema: sandbox },
  {
    commands: ['sandbox outbox'],
    schema: versioned({
      summary: z.strictObject({
        attempts: count,
        delivered: count,
        repeats: count.describe('the same key again, which delivers nothing'),
        failed: count,
        byProvider: z.record(z.string(), z.strictObject({ delivered: count, repeats: count, failed: count })),
        distinctKeys: count,
        doubled: count.describe('emails that somebody got twice'),
        dropped: count.describe('older attempts that are forgotten'),
      }),
      attempts: z
        .array(
          z.strictObject({
            at: time,
            provider,
            to: z.string(),
            subject: z.string(),
            outcome: z.enum(['delivered', 'failed']),
            message: z.string().nullable(),
            latencyMs: milliseconds,
            repeat: z.boolean(),
            idempotencyKey: z.string().nullable(),
            messageId: z.string().nullable(),
          }),
        )
        .describe('newest first; addresses masked unless `--unmask`'),
    }),
  },
];

/** Of a command as it is typed. */
export function schemaOf(command: string): z.ZodType {
  const row = JSON_SCHEMAS.find(({ commands }) => commands.includes(command));
  if (row === undefined) throw new Error(`${command} has no schema.`);
  return row.schema;
}

function versioned<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject({ version: z.literal(JSON_VERSION), ...shape });
}

function wantedSchedule() {
  return z.strictObject({
    id: z.string(),
    cron: z.string(),
    destination: z.string(),
    method: z.literal('POST'),
    retries: count,
    messagesPerDay: count,
  });
}
