import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlerts } from '../../src/domain/alert.ts';
import { lastValue, loaded } from '../../src/domain/loaded.ts';
import type { LockState } from '../../src/domain/lock.ts';
import type { QueueOverview } from '../../src/domain/queue.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { CHANGING_ACTIONS } from '../../src/ui/actions.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { KEYMAP } from '../../src/ui/keymap.ts';
import { bodyOf } from '../../src/ui/layout.ts';
import { textOf } from '../../src/ui/line.ts';
import { commandsPerHour, reduce } from '../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../src/ui/state.ts';
import { toastPanel } from '../../src/ui/toast.ts';
import {
  afterEvents,
  aState,
  calmSnapshot,
  connected,
  failedSnapshot,
  incidentSnapshot,
  keys,
  pausedSnapshot,
} from '../support/dashboard.ts';
import { NOON } from '../support/snapshot.ts';

/** The last state, and every effect on the way. */
function run(state: State, ...events: readonly UiEvent[]): { state: State; effects: Effect[] } {
  const effects: Effect[] = [];
  const last = events.reduce((known, event) => {
    const [next, more] = reduce(known, event);
    effects.push(...more);
    return next;
  }, state);
  return { state: last, effects };
}

const requests = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'act' ? [effect.request] : []));

describe('pausing', () => {
  it('asks, and pauses for half an hour on Enter', () => {
    const { state, effects } = run(connected(calmSnapshot()), ...keys('p', 'enter'));
    expect(requests(effects)).toEqual([{ kind: 'pause', forMs: 30 * MINUTE_MS, reason: '' }]);
    expect(state.dialog).toBeNull();
    expect(state.running).toHaveLength(1);
  });

  it('takes what is typed for length and reason', () => {
    const typed = keys('p', '1', 'h', '3', '0', 'm', 'tab', 'f', 'i', 'x', 'enter');
    expect(requests(run(connected(calmSnapshot()), ...typed).effects)).toEqual([
      { kind: 'pause', forMs: 90 * MINUTE_MS, reason: 'fix' },
    ]);
  });

  it('says what is wrong with a length and keeps what was typed', () => {
    const { state, effects } = run(connected(calmSnapshot()), ...keys('p', 'x', 'enter'));
    expect(effects).toEqual([]);
    expect(state.dialog).toMatchObject({
      kind: 'form',
      fields: [{ value: 'x', error: expect.stringContaining('30m') }, {}],
    });
  });

  it('resumes with p, and asks first when it is somebody else’s pause', () => {
    const { state, effects } = run(connected(pausedSnapshot()), ...keys('p'));
    expect(effects).toEqual([]);
    expect(state.dialog).toMatchObject({ kind: 'form', title: 'Resume the queue' });
    expect(requests(run(state, ...keys('y')).effects)).toEqual([{ kind: 'resume' }]);
    expect(run(state, ...keys('n')).state.dialog).toBeNull();
    const own = run(connected(pausedSnapshot(), { operator: 'grace@ops-2' }), ...keys('p'));
    expect(requests(own.effects)).toEqual([{ kind: 'resume' }]);
  });

  it('pauses at once from the command line', () => {
    const typed = [...':pause 2h new deploy'].map((key) => (key === ' ' ? 'space' : key));
    expect(requests(run(connected(calmSnapshot()), ...keys(...typed, 'enter')).effects)).toEqual([
      { kind: 'pause', forMs: 120 * MINUTE_MS, reason: 'new deploy' },
    ]);
  });
});

describe('running a worker', () => {
  it('starts it here, and says why not when the queue is held', () => {
    expect(requests(run(connected(calmSnapshot()), ...keys('r')).effects)).toEqual([
      { kind: 'run', worker: 'queue-processor' },
    ]);
    const held = run(connected(incidentSnapshot()), ...keys('r'));
    expect(held.effects).toEqual([]);
    expect(held.state.notice?.text).toBe('r (run-processor): held by worker web-1/4711, 3:31 left');
  });

  it('reads the lock anew when it has begun, and does not stand still for Ctrl-Z', () => {
    const live = (text: string): UiEvent => ({
      type: 'live',
      live: [{ worker: 'queue-processor', trigger: 'console', startedAtEpochMs: NOON, text }],
    });
    const begun = run(connected(calmSnapshot()), live(''));
    expect(begun.effects).toEqual([]);
    const sending = run(begun.state, live('1/40 sent, 9 in flight'));
    expect(sending.effects).toEqual([{ kind: 'refresh' }]);
    expect(run(sending.state, live('2/40 sent, 9 in flight')).effects).toEqual([]);
    const stopped = run(sending.state, ...keys('C-z'));
    expect(stopped.effects).toEqual([]);
    expect(stopped.state.notice?.text).toContain('queue-processor, which runs here, would stand still');
  });

  it('runs beside a worker that left a slot free, but not beside all of them or a pause', () => {
    const calm = incidentSnapshot();
    const held = lastValue(calm.lock);
    if (held === undefined) throw new Error('The lock is not known.');
    const pressed = (changes: Partial<LockState>) =>
      run(connected({ ...calm, lock: loaded({ ...held, ...changes }, NOON) }), ...keys('r')).state.notice?.text;
    expect(pressed({ otherSlotsHeld: 0, freeSlots: 2 })).toBeUndefined();
    expect(pressed({ otherSlotsHeld: 2, freeSlots: 0 })).toContain(
      'held by worker web-1/4711, 3:31 left, 2 more slots',
    );
    const pause = { operator: 'anna', host: 'ops-1', startedAtEpochMs: NOON, reason: '', expiresAtEpochMs: null };
    expect(pressed({ otherSlotsHeld: 0, freeSlots: 1, announcedPause: pause })).toContain('held by worker');
  });

  it('does not start the same one twice, and refreshes when it is done', () => {
    const once = run(connected(calmSnapshot()), ...keys('h'));
    expect(run(once.state, ...keys('h')).state.notice?.text).toContain('health-monitor is running here');
    const done = run(once.state, { type: 'outcome', id: 1, outcome: { level: 'ok', text: 'checked' } });
    expect(done.effects).toEqual([{ kind: 'refresh' }]);
    expect(done.state).toMatchObject({ running: [], notice: { text: 'checked' } });
  });
});

describe('notices', () => {
  const outcome = (id: number, text: string): UiEvent => ({ type: 'outcome', id, outcome: { level: 'ok', text } });
  const shown = (state: State) => [...state.noticesBefore, state.notice].flatMap((each) => each?.text ?? []);

  it('stay until they were seen, though others follow', () => {
    const { state } = run(connected(calmSnapshot()), ...keys('h', 'u'), outcome(1, 'checked'), outcome(2, 'synced'));
    expect(shown(state)).toEqual(['checked', 'synced']);
    const soon = run(state, { type: 'tick', nowEpochMs: NOON + 1_000 }, ...keys('1'));
    expect(shown(soon.state)).toEqual(['checked', 'synced']);
    const seen = run(state, { type: 'tick', nowEpochMs: NOON + 2_000 }, ...keys('1'));
    expect(shown(seen.state)).toEqual([]);
    expect(shown(run(state, ...keys('escape')).state)).toEqual([]);
  });

  it('say why a key does nothing only as long as nothing else is said', () => {
    const { state } = run(connected(incidentSnapshot()), ...keys('h', 'r', 'r'), outcome(1, 'checked'));
    expect(shown(state)).toEqual(['checked']);
  });

  it('are drawn whole, over as many lines as it takes', () => {
    const remedy = 'Check KV_REST_API_URL or REDIS_URL, and that the server lets this machine in.';
    const text = `queue-processor failed: Redis is not reachable (ECONNREFUSED). ${remedy}`;
    const size = { columns: 80, rows: 24 };
    const { state } = run(connected(calmSnapshot(), { size }), { type: 'told', level: 'critical', text });
    const lines = toastPanel(state, bodyOf(size))?.lines.map(textOf) ?? [];
    expect(lines.every(({ length }) => length === 80)).toBe(true);
    expect(lines.join(' ').replaceAll(/ +/g, ' ').trim()).toBe(`FAILED ${text}`);
  });
});

describe('too small a terminal', () => {
  const small = (state: State) => run(state, { type: 'resize', size: { columns: 40, rows: 10 } }).state;

  it('takes no key but those that leave: nobody sees what the others would do', () => {
    const asked = run(connected(calmSnapshot()), ...keys('p')).state;
    for (const key of KEYMAP.flatMap((row) => row.keys)) {
      const { state, effects } = run(small(asked), ...keys(key));
      expect(requests(effects)).toEqual([]);
      expect(state.dialog).toEqual(asked.dialog);
    }
    expect(run(small(asked), ...keys('q')).effects).toEqual([{ kind: 'quit' }]);
  });

  it('says what leaving waits for', () => {
    const text = 'waiting for queue-processor to finish';
    const closing = run(small(connected(calmSnapshot())), { type: 'closing', text }).state;
    expect(frameOf(closing).flatMap(({ lines }) => lines.map(textOf))).toEqual([text]);
    expect(run(closing, ...keys('q')).effects).toEqual([]);
    expect(run(closing, ...keys('C-c')).effects).toEqual([{ kind: 'quit' }]);
  });
});

describe('what may not be changed', () => {
  it.each([
    ['read-only', connected(calmSnapshot(), { readOnly: 'this console is read-only' }), 'this console is read-only'],
    [
      'safe and not armed',
      connected(calmSnapshot(), { isSafe: true }),
      'view only: Ctrl-A arms the keys for ten minutes',
    ],
  ])('is inert when %s, and says so', (_name, state, why) => {
    for (const row of KEYMAP.filter(({ changes }) => changes === true)) {
      for (const key of row.keys) {
        const { state: next, effects } = run(state, ...keys(key));
        expect(effects).toEqual([]);
        if (row.scope === 'program') expect(next.notice?.text).toContain(why);
      }
    }
  });

  it('sends no changing request from a read-only console whatever is typed', () => {
    const anyKey = fc.constantFrom(
      ...KEYMAP.flatMap((row) => row.keys),
      ...':pausefun y123',
      'enter',
      'space',
      'backspace',
    );
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 30 }), (typed) => {
        const { effects } = run(connected(incidentSnapshot(), { readOnly: 'read-only' }), ...keys(...typed));
        expect(requests(effects).filter(({ kind }) => CHANGING_ACTIONS.has(kind))).toEqual([]);
      }),
    );
  });

  it('is armed for ten minutes by Ctrl-A', () => {
    const armed = run(connected(calmSnapshot(), { isSafe: true }), ...keys('C-a')).state;
    expect(requests(run(armed, ...keys('u')).effects)).toEqual([{ kind: 'run', worker: 'quota-sync' }]);
    const later = run(armed, { type: 'tick', nowEpochMs: NOON + 10 * MINUTE_MS }, ...keys('u'));
    expect(later.effects).toEqual([]);
    expect(run(armed, ...keys('C-a', 'u')).effects).toEqual([]);
  });
});

describe('alerts', () => {
  const withAlerts = (...texts: string[]) => ({
    ...calmSnapshot(),
    alerts: loaded(parseAlerts(texts, {}, NOON), NOON),
  });

  it('are unseen only when they come after the first picture, until a key is pressed', () => {
    const first = connected(withAlerts('CRITICAL: a'), { hasBell: true });
    expect(first.alertsUnseen.size).toBe(0);
    const { state, effects } = run(first, { type: 'read', snapshot: withAlerts('CRITICAL: b', 'CRITICAL: a') });
    expect(state.alertsUnseen.size).toBe(1);
    expect(effects).toEqual([{ kind: 'bell' }]);
    expect(run(state, ...keys('c')).state.alertsUnseen.size).toBe(0);
    expect(run(state, { type: 'read', snapshot: withAlerts('CRITICAL: b', 'CRITICAL: a') }).effects).toEqual([]);
  });

  it('has the worst reason as its headline, cut where it is long, rather than a shorter one', () => {
    const queue = loaded(
      { ...lastValue(calmSnapshot().queue), quotas: [], unreviewedDeadLetters: 30 } as QueueOverview,
      NOON,
    );
    const long = `brevo fails ${'again and '.repeat(9)}again`;
    const lock = loaded({ lock: { kind: 'free' as const }, announcedPause: null }, NOON);
    const snapshot = { ...withAlerts(`ERROR: ${long}`), queue, lock };
    const [verdict] = frameOf({ ...connected(snapshot), size: { columns: 80, rows: 24 } })[0]?.lines ?? [];
    expect(textOf(verdict ?? [])).toContain('DEGRADED  brevo fails again and again and');
  });

  it('are acknowledged together after a look at them', () => {
    const { state, effects } = run(connected(withAlerts('CRITICAL: a', 'ERROR: b')), ...keys('a'));
    expect(effects).toEqual([]);
    expect(state.dialog).toMatchObject({ title: 'Acknowledge 2 alerts' });
    expect(requests(run(state, ...keys('enter')).effects)).toMatchObject([
      { kind: 'acknowledge', fingerprints: { length: 2 } },
    ]);
  });

  it('ask for the name of the environment in production, and in a sandbox that was given one', () => {
    for (const isSandbox of [false, true]) {
      const environment = { name: 'production', isSandbox };
      const snapshot = { ...withAlerts('CRITICAL: a', 'ERROR: b'), environment };
      const asked = run(connected(snapshot), ...keys('a', 'enter'));
      expect(requests(asked.effects)).toEqual([]);
      expect(asked.state.dialog).toMatchObject({ fields: [{ mustBe: 'production' }] });
      expect(requests(run(asked.state, ...keys(...'production', 'enter')).effects)).toHaveLength(1);
    }
  });
});

describe('the picture', () => {
  it('shows values, not names, where a title has room for one of them', () => {
    const state = { ...connected(incidentSnapshot()), size: { columns: 80, rows: 24 } };
    const title = (...pressed: readonly string[]) =>
      textOf(frameOf(afterEvents(state, ...keys(...pressed))).find(({ id }) => id === 'chart')?.frame?.title ?? []);
    expect(title()).toBe('Queue depth, 6 h · waiting 1,320');
    expect(title('c', 'c', ',')).toMatch(/^at 1[12]:\d\d day \d+ % month \d+ %$/);
  });

  it('leaves the room to queue, quota and alerts at 60×16, and says where the chart is', () => {
    const state = { ...connected(incidentSnapshot()), size: { columns: 60, rows: 16 } };
    const frame = frameOf(state);
    expect(frame.map(({ id }) => id)).toEqual(['banner', 'tabs', 'queue', 'quota', 'alerts', 'hints']);
    const text = frame.flatMap(({ lines }) => lines.map(textOf)).join('\n');
    expect(text).toContain('CRIT brevo: quota exhausted, 300/300');
    expect(text).toMatch(/✗ brevo +100 % gone/);
    expect(text).not.toContain(', cursor');
    expect(afterEvents(state, ...keys(',')).notice?.text).toContain('z shows it alone');
    expect(frameOf(afterEvents(state, ...keys('z', ','))).some(({ id }) => id === 'chart')).toBe(true);
  });

  it('says in one line at 80×24 when a burst clears, beside the rates that make it rise', () => {
    const calm = calmSnapshot();
    const queue = lastValue(calm.queue) as QueueOverview;
    const throughput = queue.throughput.map((bucket, index) =>
      index === queue.throughput.length - 2 ? { ...bucket, enqueued: 700 } : bucket,
    );
    const overview = { ...queue, counts: { ...queue.counts, queued: 560 }, ready: 560, throughput };
    const state = { ...connected({ ...calm, queue: loaded(overview, NOON) }), size: { columns: 80, rows: 24 } };
    const lines = frameOf(state).find(({ id }) => id === 'queue')?.lines ?? [];
    const words = lines.map((each) => textOf(each).trim());
    expect(words[1]).toMatch(/^clears ~\d+ min if none comes$/);
    expect(words[3]).toMatch(/^in \d+, out [\d.]+ ↗ \+\d+\/min$/);
    expect(words[5]).toContain('dead letter');
  });

  it('gives no ✓ to a provider with nothing left today, and keeps the ✗ of one that is down', () => {
    const snapshots = [calmSnapshot(), incidentSnapshot()];
    const [gone, down] = snapshots.map((snapshot) => {
      const queue = lastValue(snapshot.queue) as QueueOverview;
      const quotas = queue.quotas.map((quota) =>
        quota.provider === 'brevo' ? { ...quota, day: { sent: 300, limit: 300 } } : quota,
      );
      const state = connected({ ...snapshot, queue: loaded({ ...queue, quotas }, NOON) });
      const lines = frameOf(state).find(({ id }) => id === 'quota')?.lines ?? [];
      return lines.find((each) => textOf(each).includes('brevo'))?.[0];
    });
    expect(gone).toMatchObject({ text: '!', role: 'warning' });
    expect(down).toMatchObject({ text: '✗', role: 'critical' });
  });

  it('breaks a notice into lines rather than cut the name of a file', () => {
    const path = `/home/oncall/${'projects/'.repeat(6)}email-ops-report-2026-11-28-163227.md`;
    const notice = { level: 'ok' as const, text: `report saved: ${path}`, atEpochMs: NOON, of: 'action' as const };
    const state = { ...connected(calmSnapshot()), size: { columns: 80, rows: 24 }, notice };
    const lines =
      frameOf(state)
        .find(({ id }) => id === 'toast')
        ?.lines.map(textOf) ?? [];
    expect(lines.map((each) => each.slice(6).replace('  Esc', '').trim()).join('')).toContain(path);
    expect(lines.at(-1)).toContain('Esc');
  });

  it('shows parts as they arrive, and a verdict only when it is whole', () => {
    const { queue } = calmSnapshot();
    const state = afterEvents(aState(), { type: 'part', name: 'queue', part: queue });
    expect(state.picture.queue).toBe(queue);
    expect(state.picture.lock).toBeNull();
    expect(state.verdict).toBeNull();
  });

  it('stands still while frozen, and the newest is there when it goes on', () => {
    const frozen = run(connected(calmSnapshot()), ...keys('space'), {
      type: 'read',
      snapshot: incidentSnapshot(),
    }).state;
    const rows = (state: State) =>
      frameOf(state)
        .flatMap((panel) => panel.lines.map(textOf))
        .join('\n');
    expect(rows(frozen)).toContain('9 ready');
    expect(rows(frozen)).toContain('FROZEN at 12:00:00');
    expect(rows(afterEvents(frozen, ...keys('space')))).toContain('1,204 ready');
  });

  it('knows what looking costs from the commands of the last half hour', () => {
    const read = (seconds: number, redisCommands: number): UiEvent => ({
      type: 'read',
      snapshot: {
        ...calmSnapshot(),
        takenAtEpochMs: NOON + seconds * SECOND_MS,
        cost: { ...calmSnapshot().cost, redisCommands },
      },
    });
    expect(commandsPerHour(afterEvents(aState(), read(0, 10)))).toBeNull();
    expect(commandsPerHour(afterEvents(aState(), read(0, 10), read(5, 20), read(10, 30)))).toBe(7_200);
  });
});

describe('addresses', () => {
  it('are shown only after the audit list was told', () => {
    const asked = run(connected(calmSnapshot()), ...keys('m'));
    expect(requests(asked.effects)).toEqual([{ kind: 'unmask', on: true }]);
    expect(asked.state.isMasked).toBe(true);
    const told = afterEvents(asked.state, { type: 'outcome', id: 1, outcome: { level: 'ok', text: '' } });
    expect(told.isMasked).toBe(false);
    const failed = afterEvents(asked.state, { type: 'outcome', id: 1, outcome: { level: 'critical', text: '' } });
    expect(failed.isMasked).toBe(true);
  });
});

describe('a notice', () => {
  it('stays until a key after it could be read', () => {
    const state = run(connected(incidentSnapshot()), ...keys('r')).state;
    expect(afterEvents(state, ...keys('c')).notice).not.toBeNull();
    expect(afterEvents(state, { type: 'tick', nowEpochMs: NOON + 60_000 }).notice).not.toBeNull();
    expect(afterEvents(state, { type: 'tick', nowEpochMs: NOON + 2_000 }, ...keys('c')).notice).toBeNull();
    expect(afterEvents(state, ...keys('escape')).notice).toBeNull();
  });
});

describe('leaving', () => {
  it('is asked for by q and Ctrl-C; while workers finish only Ctrl-C does anything', () => {
    for (const key of ['q', 'C-c'])
      expect(run(connected(calmSnapshot()), ...keys(key)).effects).toEqual([{ kind: 'quit' }]);
    const closing = afterEvents(connected(calmSnapshot()), { type: 'closing', text: 'waiting for queue-processor' });
    expect(run(closing, ...keys('q', 'p', 'r')).effects).toEqual([]);
    expect(run(closing, ...keys('C-c')).effects).toEqual([{ kind: 'quit' }]);
  });
});

describe('any sequence of events', () => {
  const anyKey = fc.constantFrom(
    ...KEYMAP.flatMap((row) => row.keys),
    ...'abcdefghijklmnopqrstuvwxyz0123456789:?/ '.split('').map((key) => (key === ' ' ? 'space' : key)),
    ...['enter', 'escape', 'tab', 'S-tab', 'backspace', 'C-u', 'C-w', 'page-up', 'M-x', '🍎'],
  );
  const anyEvent: fc.Arbitrary<UiEvent> = fc.oneof(
    { weight: 8, arbitrary: anyKey.map((key): UiEvent => ({ type: 'input', input: { kind: 'key', key } })) },
    fc.string({ unit: 'binary' }).map((text): UiEvent => ({ type: 'input', input: { kind: 'paste', text } })),
    fc.nat(10_000_000).map((ms): UiEvent => ({ type: 'tick', nowEpochMs: NOON + ms })),
    fc.record({ columns: fc.nat(250), rows: fc.nat(90) }).map((size): UiEvent => ({ type: 'resize', size })),
    fc
      .constantFrom(calmSnapshot(), incidentSnapshot(), pausedSnapshot(), failedSnapshot())
      .map((snapshot): UiEvent => ({ type: 'read', snapshot })),
    fc
      .record({ id: fc.nat(9), text: fc.string() })
      .map(({ id, text }): UiEvent => ({ type: 'progress', id, progress: { text } })),
    fc
      .record({ id: fc.nat(9), text: fc.string(), level: fc.constantFrom('ok', 'warning', 'critical') })
      .map(({ id, ...outcome }): UiEvent => ({ type: 'outcome', id, outcome })),
    fc.constantFrom('on', 'off', 'draining', 'unavailable').map((workers): UiEvent => ({ type: 'workers', workers })),
  );

  it('never throws, and every frame lies within the screen', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let state = connected(calmSnapshot());
        for (const event of events) [state] = reduce(state, event);
        const { columns, rows } = state.size;
        for (const { id, rect, lines } of frameOf(state)) {
          if (id === 'too-small') continue;
          expect(rect.x >= 0 && rect.y >= 0).toBe(true);
          expect(rect.x + rect.width <= columns && rect.y + rect.height <= rows).toBe(true);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested.
          for (const each of lines) expect(textOf(each)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        }
      }),
      { numRuns: 150 },
    );
  });
});
