/** The email endpoint that everybody sends through: a process of its own on the loopback, with seeded latencies and a log of what arrived. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Latency } from './latency.ts';

export interface Endpoint {
  readonly url: string;
  /** Forgets what arrived; the next `count` emails take these latencies. */
  reset(latency: Latency, count: number): Promise<void>;
  /** What arrived since, in order. */
  arrivals(): Promise<readonly Arrival[]>;
  stop(): Promise<void>;
}

export interface Arrival {
  readonly key: string;
  readonly atEpochMs: number;
  /** Null while the answer is not due yet. */
  readonly answeredAtEpochMs: number | null;
  /** A key, or an address where there is no key, that arrived before. */
  readonly isRepeat: boolean;
  /** A provider that honours keys recognises a repetition by it; without one it delivers again. */
  readonly hasKey: boolean;
}

export type EndpointRequest =
  | { readonly reset: { readonly latency: Latency; readonly count: number } }
  | { readonly tell: true };

export async function startEndpoint(): Promise<Endpoint> {
  const child = fork(fileURLToPath(new URL('./endpoint-child.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ port }] = (await once(child, 'message', { signal: AbortSignal.timeout(10_000) })) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    reset: async (latency, count) => void (await ask(child, { reset: { latency, count } })),
    arrivals: async () => (await ask(child, { tell: true })) as readonly Arrival[],
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function ask(child: ChildProcess, request: EndpointRequest): Promise<unknown> {
  const answered = once(child, 'message', { signal: AbortSignal.timeout(10_000) });
  child.send(request);
  const [answer] = await answered;
  return answer;
}
