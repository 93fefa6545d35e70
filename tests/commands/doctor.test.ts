import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/commands/checks/check.ts';
import { checkClocks } from '../../src/commands/checks/clocks.ts';
import { checkConfiguration } from '../../src/commands/checks/configuration.ts';
import { checkSchema } from '../../src/commands/checks/postgres.ts';
import { checkKeys, checkSchedule } from '../../src/commands/checks/qstash.ts';
import { checkTerminal } from '../../src/commands/checks/terminal.ts';
import { groupLines, summaryLine } from '../../src/commands/render/doctor.ts';
import { type Look, shown } from '../../src/commands/render/look.ts';
import { loadConfig, type Variables } from '../../src/config.ts';
import { EXPECTED_SCHEDULES, type Schedule } from '../../src/domain/schedule.ts';
import { runCliProcess, stringIo } from '../support/cli.ts';

const LOOK: Look = { columns: 80, colour: false, unicode: true };

function configuration(variables: Variables): Check[] {
  const result = loadConfig(variables);
  if (!result.ok) throw new Error(result.problems.join());
  return checkConfiguration(result.config, variables);
}

describe('the check of the configuration', () => {
  it('names what is set, under the name that is used, and never a value', () => {
    const checks = configuration({ UPSTASH_REDIS_REST_URL: 'https://a.upstash.io', KV_REST_API_TOKEN: 'hush' });
    expect(checks.map(({ detail }) => detail).join()).toContain(
      'UPSTASH_REDIS_REST_URL, KV_REST_API_TOKEN set and valid',
    );
    expect(JSON.stringify(checks)).not.toContain('hush');
  });

  it('sees a variable that is nearly one of ours, but not other programs’', () => {
    const checks = configuration({ EMAIL_CONCURENCY: '5', EMAIL_FROM: 'a@b.org', EMAIL_PASSWORD: 'x' });
    expect(checks.filter(({ name }) => name === 'spelling')).toEqual([
      {
        name: 'spelling',
        state: 'warning',
        detail: 'EMAIL_CONCURENCY is not read',
        remedy: 'Did you mean EMAIL_CONCURRENCY?',
      },
    ]);
  });

  it('warns of a token that travels in the open, but not on this machine', () => {
    const at = (url: string) =>
      configuration({ KV_REST_API_URL: url, KV_REST_API_TOKEN: 't' }).filter(({ state }) => state === 'warning');
    expect(at('http://redis.internal:8079')).toHaveLength(1);
    expect(at('http://127.0.0.1:8079')).toEqual([]);
    expect(at('https://a.upstash.io')).toEqual([]);
  });
});

describe('the check of the clocks', () => {
  it.each([
    [300, 400, 'ok', 'agrees to 400 ms'],
    [1_500, 100, 'ok', 'differs by 1.4 s'],
    [-5_000, 100, 'warning', 'this machine is 4.9 s ahead of Redis'],
    [90_000, 500, 'failed', 'this machine is 1 min behind Redis'],
  ])('of %i ms, sure to %i ms, is %s', (skewMs, uncertaintyMs, state, detail) => {
    expect(checkClocks([{ server: 'Redis', skewMs, uncertaintyMs }])[0]).toMatchObject({ state, detail });
  });
});

describe('the check of the schema', () => {
  it('tells a missing migration and how to apply it', () => {
    const { state, remedy } = checkSchema(null);
    expect(state).toBe('failed');
    expect(remedy).toMatch(
      /psql "\$DATABASE_URL" .*supabase\/migrations\/20261123000000_email_ops\.sql.*supabase db push/,
    );
  });

  it('is content with the version it knows, and warns of a newer one', () => {
    expect(checkSchema(1).state).toBe('ok');
    expect(checkSchema(2)).toMatchObject({ state: 'warning', remedy: expect.stringContaining('Update') });
  });
});

describe('the check of the schedules', () => {
  const [expected] = EXPECTED_SCHEDULES;
  if (expected === undefined) throw new Error('no schedule is expected');
  const found: Schedule = {
    id: expected.id,
    cron: expected.cron,
    destination: `https://foodshare.club${expected.path}`,
    isPaused: false,
    lastRunAtEpochMs: null,
    nextRunAtEpochMs: null,
    lastState: 'success',
  };

  it.each([
    [[], 'failed', /no such schedule/],
    [[found], 'ok', /\*\/2/],
    [[{ ...found, isPaused: true }], 'warning', /paused/],
    [[{ ...found, cron: '0 * * * *' }], 'warning', /runs at 0 \* \* \* \*, expected/],
    [[{ ...found, destination: 'https://old.example/x' }], 'warning', /calls https:\/\/old\.example\/x, not/],
    [[{ ...found, lastState: 'fail' as const }], 'warning', /last delivery failed/],
  ])('of %j', (schedules, state, detail) => {
    expect(checkSchedule(expected, schedules, 'https://foodshare.club')).toMatchObject({
      state,
      detail: expect.stringMatching(detail),
    });
  });
});

describe('the check of the signing keys', () => {
  const keys = { current: 'one', next: 'two', serverAtEpochMs: null };
  it.each([
    ['one', 'two', 'ok'],
    ['zero', 'one', 'warning'],
    ['one', 'old', 'warning'],
    ['x', 'y', 'failed'],
    [null, null, 'warning'],
  ])('%s and %s is %s', (currentSigningKey, nextSigningKey, state) => {
    const check = checkKeys({ token: 't', url: null, currentSigningKey, nextSigningKey }, keys);
    expect(check.state).toBe(state);
    expect(JSON.stringify(check)).not.toMatch(/"(one|two)"/);
  });
});

describe('the check of the terminal', () => {
  it('measures a terminal', () => {
    const io = stringIo({ isTty: true, columns: 60 });
    expect(checkTerminal(io, { TERM: 'xterm', LANG: 'C' }).map(({ name, state }) => [name, state])).toEqual([
      ['size', 'warning'],
      ['colours', 'ok'],
      ['encoding', 'warning'],
    ]);
  });
});

describe('the report', () => {
  it('puts the remedy below the fault, and leaves it out where all is well', async () => {
    const checks: Check[] = [
      { name: 'reachable', state: 'ok', detail: 'answers', latencyMs: 12.4, remedy: 'not shown' },
      {
        name: 'writable',
        state: 'failed',
        detail:
          'Redis forbids a command: NOPERM this user has no permission to run the set command for maria@example.org',
        remedy: 'Use the token that may write: the read-only one cannot run this.',
      },
      { name: 'email-queue-processor', state: 'warning', detail: 'paused', remedy: 'email-ops schedules resume' },
      { name: 'configured', state: 'skipped', detail: 'not configured \u001b[31m' },
    ];
    const text = shown([...groupLines('Redis', checks, LOOK), '', summaryLine(checks, LOOK)], LOOK);
    await expect(text).toMatchFileSnapshot('./grids/doctor.txt');
  });

  it('comes from the process too: faults exit with 1, as JSON as well', async () => {
    const { exitCode, stdout } = await runCliProcess(['doctor', '--json'], {
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
    });
    expect(exitCode).toBe(1);
    const { checks } = JSON.parse(stdout);
    expect(checks).toContainEqual(expect.objectContaining({ group: 'Redis', name: 'reachable', state: 'failed' }));
    expect(checks).toContainEqual(expect.objectContaining({ group: 'QStash', state: 'skipped' }));
  });

  it('lists the mistakes of a configuration instead of refusing to look', async () => {
    const { exitCode, stdout } = await runCliProcess(['doctor'], { env: { EMAIL_BATCH_SIZE: '0' } });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/✗ variables .* EMAIL_BATCH_SIZE=0 is under the minimum of 1/);
  });
});
