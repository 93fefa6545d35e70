/**
 * `email-ops watch` on a terminal: opens the dashboard, and gives it the systems once it has painted. What the dashboard
 * may do outside is in `actions.ts`, and its workers are in `embedded-workers.ts`.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type Cadence, FAST_MS } from '../../domain/cadence.ts';
import type { UiEvent } from '../../ui/state.ts';
import type { Budget } from '../budget.ts';
import { EXIT, type Invocation } from '../command.ts';
import { isUtf8 } from '../io.ts';
import { operatorOf } from '../operator.ts';

export interface DashboardOptions {
  readonly workers?: boolean;
  /** Workers in here keep their times whatever QStash does. */
  readonly forceLocal?: boolean;
  readonly readOnly?: boolean;
  readonly safe?: boolean;
  readonly bell?: boolean;
  readonly mouse?: boolean;
  readonly theme?: string;
  /** Fixes the cadence. */
  readonly interval?: number;
  readonly budget?: Budget;
}

/** Runs until it is left. Resolves to the exit code; rejects with what made connecting impossible. */
export async function openDashboard(
  dashboard: DashboardOptions,
  { io, environment, signal }: Pick<Invocation, 'io' | 'environment' | 'signal'>,
): Promise<number> {
  keepSmall(dashboard.workers === true);
  const { createApp, createLogFile, themeFor } = await import('../../ui/app.ts');
  const operator = operatorOf(environment);
  const folder = join(stateFolder(environment.XDG_STATE_HOME), 'email-ops');
  const tourMark = join(folder, TOUR_MARK);
  const logFile = createLogFile(join(folder, 'dashboard.log'));
  let withoutSecrets = (line: string) => line;
  const app = createApp({
    input: process.stdin,
    output: process.stdout,
    hasMouse: dashboard.mouse === true,
    isSynchronised: !isOldTerminal(environment.TERM) && !/^screen/.test(environment.TERM ?? ''),
    hasAlternate: !isOldTerminal(environment.TERM),
    beginning: {
      look: {
        theme: themeFor(environment, io.colour, dashboard.theme),
        ascii: !io.unicode || !isUtf8(environment) || isOldTerminal(environment.TERM),
      },
      cadence: cadenceOf(dashboard, false),
      readOnly: dashboard.readOnly === true ? READ_ONLY : null,
      isSafe: dashboard.safe === true,
      hasBell: dashboard.bell === true,
      operator: `${operator.name}@${operator.host}`,
      environment: null,
      isFirstStart: !existsSync(tourMark),
    },
    connect: async (emit, stopping) => {
      const [{ connectDashboard }, secrets] = await Promise.all([import('./connect.ts'), import('../secrets.ts')]);
      withoutSecrets = (line) => secrets.withoutSecrets(line, environment);
      return connectDashboard({ dashboard, io, environment, operator, emit, signal: stopping });
    },
    log: (line) => logFile(withoutSecrets(line)),
    onTourShown: () => remember(tourMark),
    now: io.now,
  });
  const onAbort = () => void app.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await app.run();
  } finally {
    signal.removeEventListener('abort', onAbort);
    await app.stop();
  }
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

/** The console of a machine, or a terminal of before: its font has no braille and few blocks, and it has one screen only. */
function isOldTerminal(term = ''): boolean {
  return /^(linux|vt\d)/.test(term);
}

/** What was asked for holds; the sandbox's Redis costs nothing, so there it is always fast. A budget has a pace of its own. */
export function cadenceOf({ interval }: DashboardOptions, isSandbox: boolean): Cadence {
  if (interval !== undefined) return { kind: 'fixed', intervalMs: interval };
  return isSandbox ? { kind: 'fixed', intervalMs: FAST_MS } : { kind: 'adaptive' };
}

/**
 * A screen that changes once a second gains nothing from optimised code, and pays for it: measured, 13 MB and a third of the
 * processor time, 15 MB more for a heap whose nursery grows and stays, and 5 MB for code laid out for speed. Workers in here
 * have more to do.
 */
function keepSmall(hasWorkers: boolean): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  if (hasWorkers) return;
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-maglev');
  setFlagsFromString('--optimize-for-size');
}

/** In the state folder: whoever has seen the tour once is not shown it again. */
const TOUR_MARK = 'tour-seen';

/** Where nothing can be kept, the tour comes again: a nuisance, and no fault. */
function remember(mark: string): void {
  try {
    mkdirSync(dirname(mark), { recursive: true });
    writeFileSync(mark, '');
  } catch {
    // Said above.
  }
}

export const READ_ONLY = 'this console is read-only';

export type Emit = (event: UiEvent) => void;

/** The XDG specification: a relative path is ignored. */
function stateFolder(base: string | undefined): string {
  return base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'state');
}
