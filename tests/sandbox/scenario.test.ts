import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { drawCount, makeEmail, type SandboxEmail } from '../../src/sandbox/mail.ts';
import { seededRandom } from '../../src/sandbox/random.ts';
import { createScenarioEngine, type ScenarioPorts } from '../../src/sandbox/scenario-engine.ts';
import { phasesBetween, SCENARIO_TABLE } from '../../src/sandbox/scenarios.ts';
import { manualClock } from '../support/clock.ts';

describe('the phases of a scenario', () => {
  test('happen once each, however the time is cut into ticks', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(SCENARIO_TABLE)),
        fc.array(fc.double({ min: 0.001, max: 20, noNaN: true }), { maxLength: 30 }),
        (scenario, steps) => {
          let minute = Number.NEGATIVE_INFINITY;
          const inSteps = steps.flatMap((step) => {
            const next = Math.max(minute, 0) + step;
            const due = phasesBetween(scenario, minute, next);
            minute = next;
            return due;
          });
          expect(inSteps).toEqual(minute < 0 ? [] : phasesBetween(scenario, Number.NEGATIVE_INFINITY, minute));
        },
      ),
    );
  });

  test('of the incident come again every round', () => {
    const resendFailures = phasesBetween(SCENARIO_TABLE.incident, 0, 90).filter(({ what }) => what === 'resend fails');
    expect(resendFailures).toHaveLength(3);
  });

  test('of the incident leave every provider as they found it', () => {
    const modes = new Map<string, string>();
    for (const phase of SCENARIO_TABLE.incident.phases) {
      for (const [provider, { mode }] of Object.entries(phase.providers ?? {})) modes.set(provider, mode ?? 'ok');
    }
    expect([...modes.values()].every((mode) => mode === 'ok')).toBe(true);
  });
});

describe('the mail that arrives', () => {
  test('is the same for the same seed and another for another', () => {
    const draw = (seed: string) => {
      const { next } = seededRandom(seed);
      return Array.from({ length: 50 }, () => makeEmail(next));
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
  });

  test('comes in the expected number on average', () => {
    for (const expected of [0.02, 3, 40, 1_000]) {
      const { next } = seededRandom(`count ${expected}`);
      const draws = 4_000;
      let sum = 0;
      for (let i = 0; i < draws; i += 1) sum += drawCount(expected, next);
      expect(sum / draws / expected).toBeGreaterThan(0.8);
      expect(sum / draws / expected).toBeLessThan(1.2);
    }
  });
});

describe('the engine', () => {
  function run(speed: number, minutes: number, scenario = SCENARIO_TABLE.incident) {
    const clock = manualClock();
    const happened: string[] = [];
    const mail: SandboxEmail[] = [];
    const days: string[] = [];
    const ports: ScenarioPorts = {
      enqueue: async (emails) => {
        mail.push(...emails);
      },
      setProvider: async (provider: Provider, change) => {
        happened.push(`${provider} ${change.mode}`);
      },
      ensureLimits: async (day, limits) => {
        days.push(day);
        expect(Object.keys(limits)).toEqual([...PROVIDERS]);
      },
      useUpQuota: async (provider) => {
        happened.push(`${provider} used up`);
      },
      restoreQuota: async (provider) => {
        happened.push(`${provider} restored`);
      },
    };
    const engine = createScenarioEngine({
      scenario,
      speed,
      random: seededRandom('engine').next,
      clock,
      ports,
      log: () => undefined,
    });
    const finish = async () => {
      await engine.tick();
      for (let second = 0; second < minutes * 60; second += 1) {
        clock.advance(MINUTE_MS / 60);
        await engine.tick();
      }
      return { happened, mail, days };
    };
    return { finish, engine, mail };
  }

  test('plays the incident in order', async () => {
    const { happened } = await run(1, 21).finish();
    expect(happened).toEqual([
      'brevo restored',
      'resend outage',
      'brevo used up',
      'mailersend flaky',
      'aws_ses slow',
      'resend ok',
      'brevo restored',
      'mailersend ok',
      'aws_ses ok',
    ]);
  });

  test('is sixty times as fast at speed 60, and its mail sixty times as dense', async () => {
    const slow = await run(1, 10, SCENARIO_TABLE.calm).finish();
    const fast = await run(60, 10, SCENARIO_TABLE.calm).finish();
    expect(slow.mail.length).toBeGreaterThan(80);
    expect(fast.mail.length / slow.mail.length).toBeGreaterThan(40);
    expect(fast.mail.length / slow.mail.length).toBeLessThan(90);
  });

  test('writes the limits of a new day once it begins', async () => {
    const { days } = await run(1, 13 * 60, SCENARIO_TABLE.calm).finish();
    expect(days).toEqual(['2026-11-23', '2026-11-24']);
  });

  test('fills the flood’s backlog of 100,000', async () => {
    const flood = run(1, 0, SCENARIO_TABLE.flood);
    await flood.engine.fillBacklog();
    expect(flood.mail).toHaveLength(100_000);
  });
});
