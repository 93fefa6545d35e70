/** What comes in from outside is a value of ours or a fault of ours, whatever it is: configuration, locks, cron, answers, filters. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { VARIABLE_NAMES, variable } from '../../src/config-variables.ts';
import { createEmailFunction } from '../../src/data/email-function.ts';
import { FaultError } from '../../src/data/fault.ts';
import { createQueueList } from '../../src/data/queue-list.ts';
import { createScheduleLog } from '../../src/data/schedule-log.ts';
import { createSchedules } from '../../src/data/schedules.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { cronIntervalMs } from '../../src/domain/cron-interval.ts';
import { formatPause, formatWorkerLock, parseLock, parsePause } from '../../src/domain/lock.ts';
import { type AnsweringServer, json, startAnsweringServer } from '../support/answering-server.ts';
import { CORPUS } from '../support/hostile-text.ts';
import { oddNumber, oddText, oddTime } from '../support/odd-answers.ts';

describe('the configuration', () => {
  const names = VARIABLE_NAMES.flatMap((name) => [name, ...(variable(name).aliases ?? [])]);
  const SECRET = 'canary-of-a-secret';
  const value = fc.oneof(
    oddText,
    fc.constantFrom('', ' ', 'https://a.example', 'redis://u:p@h:1', 'true', '7', 'https://u:p@h/?q#f', 'http://[::1'),
    oddText.map((text) => `${SECRET}${text}`),
  );

  it('is a configuration or a list of problems, and no problem holds a secret', () => {
    fc.assert(
      fc.property(
        fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] }),
        (environment) => {
          const result = loadConfig(environment);
          if (result.ok) return;
          expect(result.problems.length).toBeGreaterThan(0);
          const secretNames = VARIABLE_NAMES.filter((name) =>
            /secret|service-key|redis-url|smtp-url/.test(variable(name).format),
          );
          for (const name of secretNames.flatMap((each) => [each, ...(variable(each).aliases ?? [])])) {
            for (const problem of result.problems.filter((text) => text.startsWith(name)))
              expect(problem).not.toContain(SECRET);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a lock value', () => {
  const pause = fc.record({ operator: oddText, host: oddText, startedAtEpochMs: fc.nat(), reason: oddText });

  it('is read whatever it is, and a pause keeps its reason', () => {
    fc.assert(
      fc.property(pause, fc.oneof(oddText, fc.constantFrom('worker/a/1/t', 'pause/a@b/1/%zz')), (given, text) => {
        expect(parsePause(formatPause(given))).toMatchObject({
          startedAtEpochMs: given.startedAtEpochMs,
          reason: given.reason.toWellFormed(),
        });
        expect(parseLock(formatPause(given), 1, 0).kind).toBe('paused');
        for (const ttl of [-2, -1, 0, 5, Number.NaN])
          expect(parseLock(text, ttl, 0).kind).toBeOneOf(['free', 'worker', 'paused', 'unknown-holder']);
      }),
    );
  });

  it('takes half a character for a reason', () => {
    expect(
      parsePause(formatPause({ operator: '\ud800', host: '\udc00', startedAtEpochMs: 1, reason: 'a\ud800b' })),
    ).toEqual({
      operator: '\ufffd',
      host: '\ufffd',
      startedAtEpochMs: 1,
      reason: 'a\ufffdb',
    });
  });

  it('of a worker names it, whatever its host is called', () => {
    const host = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(host, (name) => {
        const read = parseLock(formatWorkerLock({ host: name, pid: 42, token: 't' }), 1, 0);
        expect(read).toMatchObject({ kind: 'worker', pid: 42, token: 't' });
      }),
    );
  });
});

it('a cron expression has an interval or none', () => {
  const field = fc.constantFrom('*', '*/2', '*/0', '*/7', '0', '-1', '*/99', '1-5', '', '*/1e1');
  const expression = fc.oneof(
    oddText,
    fc.array(field, { maxLength: 7 }).map((fields) => fields.join(' ')),
  );
  fc.assert(
    fc.property(expression, (cron) => {
      const interval = cronIntervalMs(cron);
      expect(interval === null || (interval > 0 && 86_400_000 % interval === 0)).toBe(true);
    }),
  );
});

/** JSON of the right shape or of none. */
const odd = fc.oneof(oddText, oddNumber, oddTime, fc.jsonValue());
const shaped = (...names: readonly string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] });
const orFault = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error !== null) expect(error).toBeInstanceOf(FaultError);
};

describe('answers', () => {
  let server: AnsweringServer;
  beforeAll(async () => {
    server = await startAnsweringServer(json({}));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('of QStash are schedules, deliveries and dead letters, or a fault', async () => {
    const schedule = shaped('scheduleId', 'cron', 'destination', 'isPaused', 'lastScheduleTime', 'lastScheduleStates');
    const event = shaped('messageId', 'state', 'time', 'url', 'scheduleId', 'error', 'nextDeliveryTime');
    const dead = shaped(
      'dlqId',
      'messageId',
      'url',
      'createdAt',
      'responseStatus',
      'responseBody',
      'responseBodyBase64',
      'scheduleId',
    );
    const page = fc.record({
      events: fc.oneof(fc.array(event), odd),
      logs: fc.array(event),
      messages: fc.oneof(fc.array(dead), odd),
      cursor: odd,
    });
    const answer = fc.oneof(fc.array(schedule), page, odd);
    await fc.assert(
      fc.asyncProperty(answer, async (value) => {
        server.answer = json(value);
        const target = { url: server.url, token: 'token' };
        await orFault(createSchedules(target).read());
        await orFault(createScheduleLog(target).deliveries('email-tick'));
        await orFault(createScheduleLog(target).deadLetters(null));
      }),
      { numRuns: 60 },
    );
  });

  it('of the email function are outcomes, advice and reports, or a fault', async () => {
    const value = fc.oneof(
      shaped('success', 'message', 'error', 'provider', 'messageId', 'responseTime', 'recommendation'),
      shaped('success', 'timestamp', 'providers', 'quotas', 'summary', 'healthMetrics', 'alerts'),
      fc.record({ success: fc.boolean(), recommendation: shaped('provider', 'reason', 'alternates', 'health') }),
      odd,
    );
    const retryAfter = fc.constantFrom('', '5', '-1', '1e999', 'Wed, 21 Oct 2099 07:28:00 GMT', 'x'.repeat(1_000));
    await fc.assert(
      fc.asyncProperty(
        value,
        fc.constantFrom(200, 204, 400, 401, 429, 500, 503),
        retryAfter,
        async (body, status, after) => {
          const mail = createEmailFunction({
            url: 'http://a.example',
            serviceRoleKey: 'key',
            fetch: async () =>
              new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { 'retry-after': after } }),
          });
          await orFault(mail.health('full'));
          await orFault(mail.route('chat'));
          const email = {
            to: 'a@example.org',
            subject: 's',
            html: 'h',
            provider: 'brevo',
            idempotencyKey: 'k',
          } as const;
          await orFault(mail.send(email));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are asked for with a filter that no search text widens', async () => {
    server.answer = json([]);
    const { client } = connectSupabase({ url: server.url, serviceRoleKey: 'key' });
    const hostile = fc.oneof(
      oddText,
      fc.constantFrom(...CORPUS, 'x%,id.not.is.null', '),or(id.not.is.null', '"', '\\', 'a","b', '{a,b}'),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        await createQueueList(client).list({ text });
        const asked = new URL(server.requests.at(-1)?.path ?? '', server.url).searchParams.get('or');
        // Nothing was searched for, or three columns and not a condition more.
        if (asked !== null)
          expect(asked.split(',').map((each) => each.replace(/^\(/, '').split('.ilike.%')[0])).toEqual([
            'recipient_email',
            'last_error',
            'template_data->>subject',
          ]);
      }),
      { numRuns: 80 },
    );
  });
});
