/** QStash as it may behave: at least once, in any order. It delivers signed messages to the workers' endpoints until told to stop. */
import { setTimeout as delay } from 'node:timers/promises';
import { signDelivery } from '../../../src/sandbox/qstash/signature.ts';
import { pathOf } from '../../../src/workers/routes.ts';
import type { Fault } from './experiment.ts';
import type { Fleet } from './fleet.ts';
import { QSTASH } from './settings.ts';

export type DeliveryMode = 'usual' | 'twice' | 'at once' | 'out of order' | 'retry after success';

export interface Deliverer {
  mode: DeliveryMode;
  /** Answers what must not have been: a message that was done and ran again. */
  stop(): Promise<readonly string[]>;
}

const EVERY_MS = 300;
const RETRIES = 3;
const HELD_BACK = 4;

export function startDeliveries(fleet: Fleet): Deliverer {
  const violations: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  const heldBack: string[] = [];
  let isStopped = false;
  let turn = 0;

  const deliver = async (id: string, retried: number): Promise<Answer> => {
    turn += 1;
    const endpoint = fleet.endpoint(fleet.names[turn % fleet.names.length] ?? '');
    const path = pathOf('queue-processor');
    const headers = {
      'content-type': 'application/json',
      'upstash-message-id': id,
      'upstash-retried': String(retried),
      'upstash-signature': signDelivery(QSTASH.signingKey, {
        url: `${QSTASH.baseUrl}${path}`,
        body: Buffer.from('{}'),
        nowEpochMs: Date.now(),
      }),
    };
    try {
      const answer = await fetch(`${endpoint}${path}`, {
        method: 'POST',
        headers,
        body: '{}',
        signal: AbortSignal.timeout(40_000),
      });
      const { skipped = false } = (await answer.json()) as { skipped?: boolean };
      return { isSuccess: answer.ok, isSkipped: skipped };
    } catch {
      return { isSuccess: false, isSkipped: false };
    }
  };
  const untilDone = async (id: string): Promise<Answer> => {
    for (let retried = 0; ; retried += 1) {
      const answer = await deliver(id, retried);
      if (answer.isSuccess || retried === RETRIES || isStopped) return answer;
      await delay(EVERY_MS);
    }
  };
  const again = async (id: string) => {
    const first = await untilDone(id);
    if (!first.isSuccess) return;
    const second = await deliver(id, 1);
    if (second.isSuccess && !second.isSkipped) violations.push(`message ${id} was done and ran again`);
  };
  const fire = async (mode: DeliveryMode, id: string): Promise<void> => {
    switch (mode) {
      case 'usual':
        await untilDone(id);
        return;
      case 'twice':
      case 'retry after success':
        await again(id);
        return;
      case 'at once':
        await Promise.all([untilDone(id), untilDone(id), untilDone(id)]);
        return;
      case 'out of order': {
        heldBack.push(id);
        if (heldBack.length < HELD_BACK) return;
        await Promise.all(heldBack.splice(0).reverse().map(untilDone));
      }
    }
  };

  const deliverer: Deliverer = {
    mode: 'usual',
    stop: async () => {
      isStopped = true;
      await looping;
      await Promise.allSettled(underWay);
      return violations;
    },
  };
  const loop = async () => {
    for (let n = 0; !isStopped; n += 1) {
      const firing = fire(deliverer.mode, `msg_${n}`).finally(() => underWay.delete(firing));
      underWay.add(firing);
      await delay(EVERY_MS);
    }
  };
  const looping = loop();
  return deliverer;
}

interface Answer {
  readonly isSuccess: boolean;
  readonly isSkipped: boolean;
}

const MODES: readonly Exclude<DeliveryMode, 'usual'>[] = ['twice', 'at once', 'out of order', 'retry after success'];

export const QSTASH_FAULTS: readonly Fault[] = MODES.map((mode) => ({
  name: `QStash delivers: ${mode}`,
  needs: { trigger: 'qstash' as const },
  begin: async ({ deliverer }) => {
    if (deliverer === null) throw new Error('Workers of this experiment are not called by QStash.');
    deliverer.mode = mode;
    return async () => {
      deliverer.mode = 'usual';
    };
  },
}));
