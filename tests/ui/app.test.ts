import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import type { ActionKind, Actions } from '../../src/ui/actions.ts';
import { type App, type AppOptions, createApp, type Session } from '../../src/ui/app.ts';
import { calmSnapshot, DARK, incidentSnapshot, REFERENCE } from '../support/dashboard.ts';
import { createFakeTty } from '../support/fake-tty.ts';
import { NOON } from '../support/snapshot.ts';

const open: App[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.stop();
});

function start(options: { session?: Partial<Session>; app?: Partial<AppOptions>; read?: () => Snapshot } = {}) {
  const tty = createFakeTty(REFERENCE);
  const logged: string[] = [];
  const session: Session = {
    environment: calmSnapshot().environment,
    readOnly: null,
    workers: 'off',
    actions: {},
    loaders: {},
    read: async () => (options.read ?? calmSnapshot)(),
    cadence: () => ({ kind: 'adaptive' }),
    close: async () => undefined,
    ...options.session,
  };
  const app = createApp({
    input: tty.input,
    output: tty.output,
    hasMouse: false,
    isSynchronised: true,
    hasAlternate: true,
    beginning: {
      look: DARK,
      cadence: { kind: 'adaptive' },
      readOnly: null,
      isSafe: false,
      hasBell: false,
      operator: 'ada@ops-1',
      environment: null,
    },
    connect: async () => session,
    log: (line) => logged.push(line),
    now: () => NOON,
    ...options.app,
  });
  open.push(app);
  const ended = app.run();
  ended.catch(() => undefined);
  return { tty, app, ended, logged };
}

function actionsOf(kinds: readonly ActionKind[], done: (request: unknown) => void): Actions {
  return Object.fromEntries(
    kinds.map((kind) => [
      kind,
      async (request: unknown) => {
        done(request);
        return { level: 'ok', text: `${kind} is done` };
      },
    ]),
  );
}

describe('opening', () => {
  it('paints before anything is connected, and says what it waits for', async () => {
    const { tty } = start({
      app: {
        connect: async (emit) => {
          emit({ type: 'connecting', step: 'starting the sandbox: opening Postgres (2/6)' });
          return new Promise(() => undefined);
        },
      },
    });
    const text = await tty.until('opening Postgres (2/6)');
    expect(text).toContain('Queue · connecting…');
    expect(tty.screen.isAlternate()).toBe(true);
    expect(tty.state.isRaw).toBe(true);
  });

  it('shows each part as it arrives, and does not wait for the slowest', async () => {
    const { tty } = start({
      app: {
        connect: async (emit) => {
          emit({ type: 'part', name: 'queue', part: calmSnapshot().queue });
          return new Promise(() => undefined);
        },
      },
    });
    const text = await tty.until('9 ready, oldest 1 min');
    expect(text).toContain('Alerts · connecting…');
  });

  it('leaves the terminal and passes on why when connecting is impossible', async () => {
    const { tty, ended } = start({
      app: {
        connect: async () => {
          throw new Error('REDIS_URL is wrong');
        },
      },
    });
    await expect(ended).rejects.toThrow('REDIS_URL is wrong');
    await tty.screen.settle();
    expect(tty.screen.isAlternate()).toBe(false);
    expect(tty.state).toMatchObject({ isRaw: false, isPaused: true });
  });
});

describe('refreshing', () => {
  it('after an action reads everything', async () => {
    const reads: number[] = [];
    const { tty } = start({
      session: {
        actions: actionsOf(['run'], () => undefined),
        read: async (_signal, goodForMs) => {
          reads.push(goodForMs);
          return calmSnapshot();
        },
      },
    });
    await tty.until('h health');
    tty.type('h');
    await tty.until('run is done');
    await expect.poll(() => reads).toEqual([0, 0]);
  });
});

describe('keys', () => {
  it('are answered on the screen at once, before anything else happens', async () => {
    const { tty } = start();
    await tty.until('email is flowing');
    for (const key of ['c', '?', 'x']) {
      await delay(150); // longer than a frame may be held back
      const before = tty.written().length;
      tty.type(key);
      expect(tty.written().length).toBeGreaterThan(before);
    }
  });

  it('do what they say outside, and the outcome stands on the screen', async () => {
    const done: unknown[] = [];
    const { tty } = start({ session: { actions: actionsOf(['pause'], (request) => done.push(request)) } });
    await tty.until('p pause');
    tty.type('p');
    await tty.until('Pause the queue');
    tty.type('15m\tdeploy\r');
    await tty.until('pause is done');
    expect(done).toEqual([{ kind: 'pause', forMs: 900_000, reason: 'deploy' }]);
  });

  it('say it on the screen when an action fails', async () => {
    const { tty } = start({
      session: {
        actions: {
          run: async () => {
            throw new Error('Redis did not answer within 2000 ms.');
          },
        },
      },
    });
    await tty.until('h health');
    tty.type('h');
    await tty.until('run failed: Redis did not answer within 2000 ms.');
  });

  it('show the progress of what runs', async () => {
    const { tty } = start({
      session: {
        actions: {
          run: async (_request, { onProgress, signal }) => {
            onProgress({ text: '37 sent, 1 failed, 38 done' });
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            return { level: 'ok', text: '' };
          },
        },
      },
    });
    await tty.until('r run');
    tty.type('r');
    await tty.until('queue-processor runs here 37 sent, 1 failed, 38 done');
  });

  it('reach no system from a read-only console, even if a handler is there', async () => {
    const done: unknown[] = [];
    const every: readonly ActionKind[] = ['pause', 'resume', 'run', 'workers', 'acknowledge', 'retry', 'discard'];
    const { tty } = start({
      read: incidentSnapshot,
      session: { readOnly: 'EMAIL_OPS_READ_ONLY is set', actions: actionsOf(every, (request) => done.push(request)) },
    });
    await tty.until('READ-ONLY');
    tty.type('p\rr\x1b[A');
    tty.type('hu');
    tty.type('w');
    tty.type('a\rRx:pause 10m\r:run-processor\r');
    await tty.until('EMAIL_OPS_READ_ONLY is set');
    expect(done).toEqual([]);
  });
});

describe('a bad line', () => {
  it('may cut a sequence: its end is not taken for keys', async () => {
    const done: unknown[] = [];
    const actions = actionsOf(['acknowledge'], (request) => done.push(request));
    const { tty } = start({ read: incidentSnapshot, session: { actions } });
    await tty.until('CRITICAL');
    tty.type('3');
    await tty.until('A all');
    tty.type('\x1b[');
    await delay(100);
    tty.type('A');
    tty.type('?');
    await tty.until('Keys · type :');
    expect(done).toEqual([]);
  });

  it('may lose the end of a pasted text: Ctrl-C leaves all the same', async () => {
    const { tty, ended } = start();
    await tty.until('email is flowing');
    tty.type('\x1b[200~half a text');
    tty.type('q');
    tty.type('\x03');
    await ended;
  });
});

describe('leaving', () => {
  it.each(['q', '\x03'])('with %j leaves everything as it was', async (key) => {
    const before = process.stderr.write;
    const { tty, ended } = start();
    await tty.until('email is flowing');
    expect(process.stderr.write).not.toBe(before);
    tty.type(key);
    await ended;
    await tty.screen.settle();
    expect(tty.screen.isAlternate()).toBe(false);
    expect(tty.written().endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    expect(tty.state).toMatchObject({ isRaw: false, isPaused: true });
    expect(process.stderr.write).toBe(before);
  });

  it('shows what is waited for, and a second Ctrl-C does not wait', async () => {
    const { tty, ended } = start({
      session: {
        close: (onWaiting) => {
          onWaiting('waiting for queue-processor to finish');
          return new Promise(() => undefined);
        },
      },
    });
    await tty.until('email is flowing');
    tty.type('q');
    await tty.until('waiting for queue-processor to finish');
    expect(tty.screen.isAlternate()).toBe(true);
    tty.type('\x03');
    await ended;
    await tty.screen.settle();
    expect(tty.screen.isAlternate()).toBe(false);
  });

  it('waits for what an operator has begun to change, before the connections are closed', async () => {
    const steps: string[] = [];
    const changing = Promise.withResolvers<void>();
    const { tty, ended } = start({
      session: {
        actions: {
          unmask: async () => {
            await changing.promise;
            steps.push('changed');
            return { level: 'ok', text: 'addresses are shown' };
          },
        },
        close: async () => {
          steps.push('closed');
        },
      },
    });
    await tty.until('email is flowing');
    tty.type('m');
    tty.type('q');
    await tty.until('waiting for showing addresses to finish; Ctrl-C leaves at once');
    changing.resolve();
    await ended;
    expect(steps).toEqual(['changed', 'closed']);
  });

  it('takes no listener and no timer along', async () => {
    const events = [
      'SIGTSTP',
      'SIGCONT',
      'SIGUSR1',
      'exit',
      'uncaughtException',
      'uncaughtExceptionMonitor',
      'SIGTERM',
      'SIGINT',
    ];
    const count = () => events.map((event) => process.listenerCount(event));
    const before = count();
    const { tty, ended } = start();
    await tty.until('email is flowing');
    tty.type('q');
    await ended;
    expect(count()).toEqual(before);
    expect(tty.state.listenerCount('data')).toBe(0);
  });
});

describe('the screen', () => {
  it('keeps out what libraries print, and logs it', async () => {
    const { tty, logged } = start();
    await tty.until('email is flowing');
    process.stderr.write('a library speaks\n');
    process.stdout.write('and another\n');
    await delay(10);
    await tty.screen.settle();
    expect(tty.screen.rows().join('\n')).not.toMatch(/library|another/);
    expect(logged).toEqual([expect.stringContaining('a library speaks'), expect.stringContaining('and another')]);
  });

  it('logs what workers say too, with no address whole and no escape sequence', async () => {
    const { tty, logged } = start({
      app: {
        connect: async (emit) => {
          const text = '[email-worker] ada@example.org failed: \x1b[31mno such user';
          emit({ type: 'log', line: { atEpochMs: NOON, source: 'queue-processor', text } });
          throw new Error('enough');
        },
      },
    });
    await expect
      .poll(() => logged)
      .toEqual([`2026-11-23T12:00:00.000Z [email-worker] a***@example.org failed: no such user`]);
    await tty.screen.settle();
  });

  it('survives a storm of resizes, and is right at the last size', async () => {
    const { tty } = start();
    await tty.until('email is flowing');
    for (let step = 0; step < 100; step += 1)
      tty.resize({ columns: 40 + ((step * 37) % 180), rows: 8 + ((step * 13) % 60) });
    tty.resize({ columns: 100, rows: 30 });
    const text = await tty.until(/ 1 Overview[\s\S]*\? help {2}q quit$/);
    const rows = text.split('\n');
    expect(rows).toHaveLength(30);
    expect(rows.at(-1)).toMatch(/\? help {2}q quit$/);
    expect(Math.max(...rows.map((row) => row.length))).toBe(100);
  });

  it('says in one line that it is too small, and recovers', async () => {
    const { tty } = start();
    await tty.until('email is flowing');
    tty.resize({ columns: 50, rows: 10 });
    const small = await tty.until('50×10 is too small');
    expect(small.trim().split('\n')).toHaveLength(1);
    tty.resize({ columns: 12, rows: 3 });
    await tty.until(/^needs 60×16/);
    tty.resize({ columns: 80, rows: 24 });
    await tty.until('email is flowing');
  });

  it('sends nothing when nothing has changed, and under 100 bytes for a tick of the clock', async () => {
    // Not at a full minute, where ages and the chart go on as well.
    let now = NOON + 10_000;
    const { tty } = start({ app: { now: () => now } });
    await tty.until('email is flowing');
    await delay(1_100);
    const before = tty.written().length;
    await delay(1_100);
    expect(tty.written().length).toBe(before);
    now += 1_000;
    await tty.until('12:00:11 UTC');
    expect(tty.written().length - before).toBeLessThan(100);
  });

  it('puts larger frames between the marks of a synchronised update', async () => {
    const { tty } = start();
    await tty.until('email is flowing');
    const begins = tty.written().split('\x1b[?2026h').length;
    expect(begins).toBeGreaterThan(1);
    expect(tty.written().split('\x1b[?2026l').length).toBe(begins);
  });
});
