/**
 * What a kill -9 of the worker costs: how long the emails that it was sending lie there until somebody takes them up again, with
 * default settings, and how many of them are sent a second time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CONCURRENCY } from '../draining/drain.ts';
import type { Arrival, Endpoint } from '../draining/endpoint.ts';
import { startEndpoint } from '../draining/endpoint.ts';
import { FIXED } from '../draining/latency.ts';
import { type Servers, startServers } from '../draining/servers.ts';
import { BULLMQ, OURS, type System, settingOf } from '../draining/systems.ts';
import { peerVersion } from '../lib/peers.ts';
import { table } from '../lib/table.ts';
import { startWorker } from '../lib/worker-process.ts';
import type { Section } from '../section.ts';

const COUNT = 300;
/** Killed when so many have arrived. */
const KILL_AFTER = 105;
const GIVE_UP_MS = 150_000;

/** Waits too long to be waited for: what its own code has for a default, and where that stands. */
const BY_SETTING = [
  {
    name: 'graphile-worker',
    version: peerVersion('graphile-worker'),
    waits: '4 h',
    why: "a locked job is free again after `interval '4 hours'` (`get_jobs`, `resetLockedAt`)",
  },
  { name: 'pg-boss', version: peerVersion('pg-boss'), waits: '15 min', why: '`expireInSeconds`, 900' },
  {
    name: 'hand-written',
    version: 'as in the document',
    waits: '5 to 7 min',
    why: 'its lock, `EX 300`, and the next call, every two minutes; its emails are queued as before',
  },
];

export const section: Section = {
  name: 'recovery',
  title: 'Recovery after kill -9',
  needs: ['bullmq', 'graphile-worker', 'pg-boss'],
  run: async (report) => {
    const servers = await startServers();
    const another = await startEndpoint();
    try {
      const [ours, bullmq] = await Promise.all([
        recover(servers, { ...OURS, script: new URL('./our-work.ts', import.meta.url) }, servers.endpoint, report),
        recover(servers, BULLMQ, another, report),
      ]);
      return { markdown: markdownOf(ours, bullmq) };
    } finally {
      await another.stop();
      await servers.stop();
    }
  },
};

interface Recovered {
  readonly name: string;
  readonly inFlight: number;
  /** From the kill until the first and the last of those in flight arrived again; null when that did not happen. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly again: number;
  /** Of those, what a provider that honours keys cannot recognise. */
  readonly doubled: number;
}

async function recover(
  servers: Servers,
  system: System,
  endpoint: Endpoint,
  report: (line: string) => void,
): Promise<Recovered> {
  const setting = { ...settingOf(system, servers, COUNT, CONCURRENCY), mailUrl: endpoint.url };
  await system.fill(servers, COUNT);
  await endpoint.reset(FIXED, COUNT * 2);
  const killed = await startWorker(system.script, setting);
  // Ready before, so that its own start takes no part in what is measured.
  const next = await startWorker(system.script, setting);
  killed.begin();
  await until(endpoint, (arrivals) => arrivals.length >= KILL_AFTER);
  const killedAtEpochMs = Date.now();
  await killed.kill();
  next.begin();
  const atKill = await endpoint.arrivals();
  const stuck = new Set(
    atKill
      .filter((each) => each.answeredAtEpochMs === null || each.answeredAtEpochMs >= killedAtEpochMs)
      .map(({ key }) => key),
  );
  report(`${system.name}: killed with ${stuck.size} in flight`);
  const repeats = (arrivals: readonly Arrival[]) => arrivals.filter(({ key, isRepeat }) => isRepeat && stuck.has(key));
  const isBack = (arrivals: readonly Arrival[]) => new Set(repeats(arrivals).map(({ key }) => key)).size >= stuck.size;
  const arrivals = await until(endpoint, isBack);
  await next.kill();
  const backAfterMs = repeats(arrivals).map(({ atEpochMs }) => atEpochMs - killedAtEpochMs);
  return {
    name: system.name,
    inFlight: stuck.size,
    firstMs: backAfterMs[0] ?? null,
    lastMs: isBack(arrivals) ? (backAfterMs.at(-1) ?? null) : null,
    again: arrivals.filter(({ isRepeat }) => isRepeat).length,
    doubled: arrivals.filter(({ isRepeat, hasKey }) => isRepeat && !hasKey).length,
  };
}

/** What arrived once `is` holds, or when it is given up. */
async function until(endpoint: Endpoint, is: (arrivals: readonly Arrival[]) => boolean): Promise<readonly Arrival[]> {
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    const arrivals = await endpoint.arrivals();
    if (is(arrivals) || Date.now() > deadline) return arrivals;
    await delay(50);
  }
}

function markdownOf(ours: Recovered, bullmq: Recovered): string {
  const seconds = (ms: number | null) => (ms === null ? 'not within 150 s' : `${(ms / 1_000).toFixed(1)} s`);
  const rows = [
    [ours.name, 'measured', ours.inFlight, seconds(ours.firstMs), seconds(ours.lastMs), ours.again, ours.doubled],
    [
      `BullMQ ${peerVersion('bullmq')}`,
      'measured',
      bullmq.inFlight,
      seconds(bullmq.firstMs),
      seconds(bullmq.lastMs),
      bullmq.again,
      bullmq.doubled,
    ],
    ...BY_SETTING.map(({ name, version, waits, why }) => [
      `${name}${/^\d/.test(version) ? ` ${version}` : ''}`,
      why,
      null,
      waits,
      null,
      'all in flight',
      null,
    ]),
  ];
  const isMet = ours.lastMs !== null && ours.lastMs < 30_000 && ours.doubled === 0;
  return `
Killed while it sends (${CONCURRENCY} at a time, 300 ms each), and started again at once, as a supervisor would; default settings. What takes minutes or
hours is told by its setting, not waited for. The provider honours idempotency keys: email-ops sends one with every email, so that a
repetition is recognised. The peers' handler here does so too; they leave that to who writes it, and without it what is sent again is delivered twice.

${table(['', 'how it is known', 'in flight', 'first taken up after', 'last', 'sent again', 'delivered twice'], rows, {
  words: [0, 1],
})}

Target: under 30 s, and none delivered twice where the provider honours the key: **${isMet ? 'met' : 'missed'}** (${seconds(ours.lastMs)}, ${ours.doubled} delivered twice).
What bounds it: leases of 25 s and a lock of 300 s, both renewed every 5 s; another \`work\` takes over a lock that was not renewed for 25 s, and
looks again the moment that is so. Where QStash or cron call the workers, the first call but one after that does: add up to five minutes.`;
}
