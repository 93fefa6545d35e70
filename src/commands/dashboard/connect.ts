/** The dashboard's session: systems, snapshots, actions and workers, made from the same parts as the other commands. */

import type { Variables } from '../../config.ts';
import type { PartListener } from '../../data/snapshot.ts';
import { FAST_MS } from '../../domain/cadence.ts';
import type { Session } from '../../ui/app.ts';
import type { UiEvent } from '../../ui/state.ts';
import { createPacer } from '../budget.ts';
import { connectSystems } from '../connect.ts';
import type { Io } from '../io.ts';
import { createNotifier } from '../notifier.ts';
import type { Operator } from '../operator.ts';
import { dashboardActions } from './actions.ts';
import { createLogger, type EmbeddedWorkers, embedWorkers } from './embedded-workers.ts';
import { dashboardLoaders } from './loaders.ts';
import { cadenceOf, type DashboardOptions, type Emit, READ_ONLY } from './open.ts';

export interface ConnectDashboard {
  readonly dashboard: DashboardOptions;
  readonly io: Io;
  readonly environment: Variables;
  readonly operator: Operator;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** @throws ConfigError, SandboxError */
export async function connectDashboard(options: ConnectDashboard): Promise<Session> {
  const { dashboard, io, environment, operator, emit, signal } = options;
  const systems = await connectSystems(io, {
    environment,
    signal,
    onProgress: ({ step, done, total }) =>
      emit({
        type: 'connecting',
        step: `no credentials, so starting a sandbox on this machine: ${Math.min(done + 1, total)}/${total} ${step}`,
      }),
  });
  const { sandbox } = systems;
  void sandbox?.ended.then(() =>
    emit({
      type: 'told',
      level: 'critical',
      text: `the sandbox ended (pid ${sandbox.pid}): leave with q, and the next start brings it back with its data`,
    }),
  );
  const onPart: PartListener = (name, part) => emit({ type: 'part', name, part } as unknown as UiEvent);
  const reader = await systems.snapshotReader(onPart);
  const isReadOnly = dashboard.readOnly === true || systems.config.readOnly;
  const workers: EmbeddedWorkers | null = isReadOnly
    ? null
    : await embedWorkers(systems, {
        log: createLogger(emit, systems.clock),
        emit,
        forceLocal: dashboard.forceLocal === true,
      });
  if (dashboard.workers === true) await workers?.switchOn();
  const notifier = isReadOnly ? null : createNotifier(systems, createLogger(emit, systems.clock), signal);
  const pacer = dashboard.budget === undefined ? null : createPacer(dashboard.budget);
  let spentBefore = 0;
  return {
    environment: systems.config.environment,
    readOnly: isReadOnly ? (dashboard.readOnly === true ? READ_ONLY : 'EMAIL_OPS_READ_ONLY is set') : null,
    workers: workers === null ? 'unavailable' : workers.state(),
    actions: dashboardActions({
      systems,
      operator,
      workers,
      isReadOnly,
      onSchedulesChanged: () => reader.expireSchedules(),
    }),
    loaders: dashboardLoaders(systems),
    read: async (readSignal, goodForMs) => {
      const startedAtEpochMs = systems.clock.nowEpochMs();
      const snapshot = await reader.read(readSignal, { goodForMs });
      const { redisCommands } = snapshot.cost;
      pacer?.spent(redisCommands - spentBefore, startedAtEpochMs);
      spentBefore = redisCommands;
      void notifier?.look(snapshot);
      return {
        ...snapshot,
        cost: { ...snapshot.cost, redisCommands: redisCommands + (workers?.redisCommands() ?? 0) },
      };
    },
    cadence: () => {
      const asked = cadenceOf(dashboard, systems.config.environment.isSandbox);
      if (pacer === null) return asked;
      const leastMs = asked.kind === 'fixed' ? asked.intervalMs : FAST_MS;
      return { kind: 'fixed', intervalMs: Math.max(leastMs, pacer.nextAtEpochMs() - systems.clock.nowEpochMs()) };
    },
    close: async (onWaiting) => {
      await workers?.close(onWaiting);
      await systems[Symbol.asyncDispose]();
    },
  };
}
