/** What happens in the sandbox, as tables: how much mail arrives, and which provider does what when. */
import type { Provider } from '../domain/email.ts';
import type { ScenarioName } from './launcher.ts';

export type ProviderMode = 'ok' | 'outage' | 'flaky' | 'slow' | 'hang';

export interface ProviderChange {
  readonly mode?: ProviderMode;
  /** 0–1; of sends that fail in mode `flaky`. */
  readonly failureRate?: number;
  /** Emails a UTC day. */
  readonly dailyLimit?: number;
}

export interface Phase {
  /** Minutes after the start of a round, divided by the speed factor. */
  readonly atMinute: number;
  readonly what: string;
  readonly arrivalsPerMinute?: number;
  readonly providers?: Readonly<Partial<Record<Provider, ProviderChange>>>;
  /** Provider whose day is used up from here on. */
  readonly quotaGone?: Provider;
  readonly quotaRestored?: Provider;
}

export interface Scenario {
  readonly summary: string;
  /** The limits of WIRE.md times this: a sandbox lives faster than a day has quota for. */
  readonly limitFactor: number;
  /** Emails put into the queue when the scenario first runs on a folder. */
  readonly initialBacklog: number;
  /** The phases begin again after this many minutes; null: the last one stays. */
  readonly roundMinutes: number | null;
  readonly phases: readonly Phase[];
}

export const SCENARIO_TABLE: Readonly<Record<ScenarioName, Scenario>> = {
  calm: {
    summary: 'steady mail, healthy providers',
    limitFactor: 50,
    initialBacklog: 24,
    roundMinutes: null,
    phases: [{ atMinute: 0, what: 'steady mail', arrivalsPerMinute: 12 }],
  },
  incident: {
    summary: 'a provider fails, a quota runs out, both recover; every 30 minutes',
    limitFactor: 50,
    initialBacklog: 24,
    roundMinutes: 30,
    phases: [
      { atMinute: 0, what: 'steady mail', arrivalsPerMinute: 20, quotaRestored: 'brevo' },
      { atMinute: 2, what: 'resend fails', providers: { resend: { mode: 'outage' } } },
      { atMinute: 6, what: 'the daily quota of brevo is used up', quotaGone: 'brevo' },
      {
        atMinute: 9,
        what: 'mailersend drops a third, aws_ses is slow',
        providers: { mailersend: { mode: 'flaky', failureRate: 0.33 }, aws_ses: { mode: 'slow' } },
        arrivalsPerMinute: 40,
      },
      { atMinute: 14, what: 'resend recovers', providers: { resend: { mode: 'ok' } } },
      { atMinute: 17, what: 'the quota of brevo is raised', quotaRestored: 'brevo', arrivalsPerMinute: 20 },
      { atMinute: 20, what: 'all recover', providers: { mailersend: { mode: 'ok' }, aws_ses: { mode: 'ok' } } },
    ],
  },
  flood: {
    summary: '100,000 emails wait, more arrive than usual',
    limitFactor: 400,
    initialBacklog: 100_000,
    roundMinutes: null,
    phases: [{ atMinute: 0, what: 'a flood', arrivalsPerMinute: 60 }],
  },
};

/** The phases of a scenario that begin in `(fromMinute, toMinute]` of its life, in order, over as many rounds as that spans. */
export function phasesBetween(scenario: Scenario, fromMinute: number, toMinute: number): readonly Phase[] {
  const { roundMinutes, phases } = scenario;
  if (roundMinutes === null) return phases.filter(({ atMinute }) => atMinute > fromMinute && atMinute <= toMinute);
  const due: Phase[] = [];
  for (let round = Math.max(0, Math.floor(fromMinute / roundMinutes)); round * roundMinutes <= toMinute; round += 1) {
    for (const phase of phases) {
      const minute = round * roundMinutes + phase.atMinute;
      if (minute > fromMinute && minute <= toMinute) due.push(phase);
    }
  }
  return due;
}
