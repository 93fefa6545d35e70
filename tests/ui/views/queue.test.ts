import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/domain/loaded.ts';
import type { QueueItem } from '../../../src/domain/queue-page.ts';
import { frameOf } from '../../../src/ui/frame.ts';
import { hintLine } from '../../../src/ui/hints.ts';
import { textOf } from '../../../src/ui/line.ts';
import type { LoadRequest } from '../../../src/ui/loaders.ts';
import { reduce } from '../../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../../src/ui/state.ts';
import { calmSnapshot, connected, keys } from '../../support/dashboard.ts';
import { aListedDeadLetter, aListedEmail, anErrorGroup, details, idOf } from '../../support/queue-items.ts';

/** The dashboard, and a server with a list of so many rows that answers what is asked when it is told to. */
class Console {
  state: State;
  asked: LoadRequest[] = [];
  acted: Effect[] = [];
  items: QueueItem[];

  constructor(items: QueueItem[] = rows(250), changes: Parameters<typeof connected>[1] = {}) {
    this.items = items;
    this.state = connected(calmSnapshot(), changes);
    this.press('2');
  }

  send(...events: readonly UiEvent[]): this {
    for (const event of events) {
      const [state, effects] = reduce(this.state, event);
      this.state = state;
      this.asked.push(...effects.flatMap((effect) => (effect.kind === 'load' ? [effect.request] : [])));
      this.acted.push(...effects.filter(({ kind }) => kind === 'act'));
    }
    return this;
  }

  press(...names: readonly string[]): this {
    return this.send(...keys(...names));
  }

  type(text: string): this {
    return this.press(...[...text].map((key) => (key === ' ' ? 'space' : key)));
  }

  /** Answers everything that is asked, and what is asked upon that. */
  answer(): this {
    for (let turn = 0; this.asked.length > 0 && turn < 20; turn++) {
      const request = this.asked.shift();
      if (request !== undefined) this.send(this.answerTo(request));
    }
    return this;
  }

  fail(fault: Fault): this {
    for (const request of this.asked.splice(0))
      this.send({
        type: 'loaded',
        view: 'queue',
        kind: request.kind,
        request,
        result: { ok: false, fault },
      } as UiEvent);
    return this;
  }

  answerTo(request: LoadRequest): UiEvent {
    const loaded = (value: unknown) =>
      ({ type: 'loaded', view: 'queue', kind: request.kind, request, result: { ok: true, value } }) as UiEvent;
    if (request.kind === 'queue-groups')
      return loaded({
        groups: [anErrorGroup(), anErrorGroup({ errorKind: 'timeout', count: 2 })],
        emails: 39,
        hasMore: false,
      });
    if (request.kind === 'email') return loaded(this.story(request.id));
    if (request.kind !== 'queue-page') throw new Error(`Nobody answers ${request.kind}`);
    const { query, place, limit } = request;
    const all = this.items.filter((item) => (query.status ?? statusOf(item)) === statusOf(item));
    const at = 'key' in place ? all.findIndex(({ key }) => key === place.key) : -1;
    const [first, end] = {
      first: [0, limit],
      last: [Math.max(0, all.length - limit), all.length],
      after: [at + 1, at + 1 + limit],
      before: [Math.max(0, at - limit), at],
      from: [at, at + limit],
    }[place.kind] as [number, number];
    const hasMore = place.kind === 'last' || place.kind === 'before' ? first > 0 : end < all.length;
    const items = at < 0 && 'key' in place ? [] : all.slice(first, end);
    return loaded({ items, skipped: 0, hasMore, isForwardOnly: false });
  }

  story(id: string) {
    const found = this.items.find((item) => item.id === id);
    return found?.kind === 'email' ? details(found) : null;
  }

  refresh(): this {
    return this.send({ type: 'read', snapshot: calmSnapshot() });
  }

  get text(): string {
    return frameOf(this.state)
      .flatMap(({ frame, lines }) => [textOf(frame?.title ?? []), ...lines.map(textOf)])
      .join('\n');
  }

  get selected(): string {
    const lines = frameOf(this.state).flatMap((panel) => (panel.id === 'queue-list' ? panel.lines.slice(2) : []));
    return (
      lines
        .find((line) => line.some(({ role }) => role === 'selected'))
        ?.map(({ text }) => text)
        .join('')
        .trim() ?? ''
    );
  }
}

function rows(count: number): QueueItem[] {
  return Array.from({ length: count }, (_, n) =>
    aListedEmail(n, n % 10 === 3 ? { status: 'failed', lastError: 'timeout', attempts: 3 } : {}),
  );
}

function statusOf(item: QueueItem): string {
  return item.kind === 'dead' ? 'dead' : item.status;
}

describe('the list', () => {
  it('says that it loads, then shows the first rows and where they are', () => {
    const ui = new Console();
    expect(ui.text).toContain('loading…');
    ui.answer();
    expect(ui.text).toMatch(/Emails · 1–27 of [\d,]+ · newest first/);
    expect(ui.selected).toMatch(/^00000000 queued/);
  });

  it('walks through all rows, loading what comes near, and keeps only a part', () => {
    const ui = new Console(rows(1_000)).answer();
    for (let n = 1; n <= 700; n++) ui.press('down').answer();
    expect(ui.selected).toContain('00000700');
    expect((ui.state.local.queue as { list: { items: unknown[] } }).list.items.length).toBeLessThanOrEqual(300);
    for (let n = 1; n <= 650; n++) ui.press('k').answer();
    expect(ui.selected).toContain('00000050');
    expect(ui.text).toContain('Emails · 38–64 of');
  });

  it('jumps to both ends', () => {
    const ui = new Console(rows(1_000)).answer().press('G').answer();
    expect(ui.selected).toContain('00000999');
    expect(ui.text).toContain('the end of');
    expect(ui.press('page-up').answer().selected).toContain('00000973');
    expect(ui.press('g').answer().selected).toContain('00000000');
  });

  it('keeps the selection on its row when the data is new, and on its place when the row is gone', () => {
    const ui = new Console(rows(50)).answer().press('down', 'down');
    ui.items = [aListedEmail(90), aListedEmail(91), ...ui.items];
    expect(ui.refresh().answer().selected).toContain('00000002');
    ui.items = ui.items.filter(({ id }) => id !== idOf(2));
    expect(ui.refresh().answer().selected).toContain('00000003');
  });

  it('stays at the top of a busy queue until somebody moves or selects, and again once somebody has gone there', () => {
    const ui = new Console(rows(50)).answer();
    let next = 100;
    const more = () => {
      ui.items = [...Array.from({ length: 60 }, () => aListedEmail(next++)), ...ui.items];
      return ui.refresh().answer();
    };
    more();
    expect(ui.selected).toContain('00000100');
    expect(ui.text).toContain('Emails · 1–27 of');
    expect(more().selected).toContain('00000160');
    ui.press('down').answer();
    expect(more().selected).toContain('00000161');
    expect(ui.text).not.toContain('Emails · 1–');
    ui.press('g').answer();
    expect(more().selected).toContain('00000280');
    for (const key of ['V', 'enter']) {
      ui.press('g').answer().press(key).answer();
      more().press('escape');
      expect(ui.selected).toContain(`00000${next - 120}`);
    }
  });

  it('does not load anew while it is frozen, nor ask twice while it waits', () => {
    const ui = new Console().refresh().refresh();
    expect(ui.asked).toHaveLength(1);
    ui.answer().press('space').refresh();
    expect(ui.asked).toHaveLength(0);
  });

  it('keeps old rows, dimmed, and says what is wrong; where there are none it says what to do', () => {
    const fault = { code: 'timeout', message: 'Postgres did not answer in time.', remedy: 'Look at it.' } as const;
    const none = new Console().fail(fault);
    expect(none.text).toContain('Emails · failed: timeout');
    expect(none.text).toContain('Look at it.');
    const some = new Console().answer().refresh().fail(fault);
    expect(some.text).toContain('stale 0 s: timeout');
    expect(some.selected).toContain('newsletter');
    expect(some.refresh().answer().text).not.toContain('stale');
  });

  it('masks addresses until they are wanted', () => {
    const ui = new Console([aListedEmail(1, { lastError: 'no mailbox anna@example.org' })]).answer();
    expect(ui.text).toContain('r***@example.org');
    expect(ui.text).not.toMatch(/reader1@|anna@/);
  });
});

describe('the filter', () => {
  it('narrows as it is typed, and asks once more when the answer to the first letters is there', () => {
    const ui = new Console().answer().press('/').type('status:f');
    expect(ui.text).toContain('/status:f');
    expect(ui.asked).toHaveLength(1);
    ui.type('ailed x').press('C-w', 'backspace');
    expect(ui.asked).toHaveLength(1);
    ui.answer().press('enter');
    expect(ui.selected).toMatch(/^00000003 failed/);
    expect(ui.state.dialog).toBeNull();
    expect(ui.text).toMatch(/1–25 of/);
  });

  it('says what is wrong with it, and goes by the rest', () => {
    const ui = new Console().answer().press('/').type('type:xyz').answer();
    expect(ui.text).toContain('type: one of auth, chat');
    expect(ui.text).toContain('00000000 queued');
  });

  it('puts back what was there on Esc, and Esc in the list takes the whole filter away', () => {
    const ui = new Console().answer().press('right', 'right', 'right').answer();
    expect(ui.text).toContain('/status:failed');
    ui.press('/').type(' more').press('escape').answer();
    expect(ui.text).toContain('/status:failed  Esc');
    ui.press('escape').answer();
    expect(ui.text).toContain('/ filter:');
    expect(ui.selected).toContain('00000000');
  });

  it('begins a term of its own behind what stands there', () => {
    const ui = new Console().answer().press('right', 'right', 'right').answer();
    expect(ui.press('/').type('anna').answer().text).toContain('/status:failed anna');
  });

  it('takes what is pasted, without its control characters', () => {
    const ui = new Console().answer().press('/');
    ui.send({ type: 'input', input: { kind: 'paste', text: 'an\x1b[31mna\n' } });
    expect(ui.text).toMatch(/\/an.*na/);
  });
});

describe('what is done', () => {
  it('asks before a retry, with the count, and does it for what was selected', () => {
    const ui = new Console().answer().press('v', 'v', 'down', 'v', 'R');
    expect(ui.text).toContain('Retry 3 emails');
    expect(ui.text).toContain('y retry 3 emails');
    ui.press('y');
    expect(ui.acted).toMatchObject([
      { kind: 'act', request: { kind: 'retry', target: { by: 'ids', ids: [idOf(0), idOf(1), idOf(3)] } } },
    ]);
    const [act] = ui.acted;
    if (act?.kind !== 'act') throw new Error('nothing was done');
    ui.send({ type: 'outcome', id: act.id, outcome: { level: 'ok', text: '3 emails queued again' } });
    expect(ui.text).not.toContain('selected');
  });

  it('leaves out what makes no sense, and says why when nothing is left', () => {
    const items = [
      aListedEmail(1, { status: 'completed' }),
      aListedEmail(2),
      aListedEmail(3, { status: 'failed', isDiscarded: true }),
    ];
    const ui = new Console(items).answer();
    expect(ui.press('R').state.notice?.text).toContain('it was sent already');
    expect(ui.press('V', 'x').text).toContain('Discard 1 email');
    expect(ui.text).toContain('2 others selected left out');
    ui.press('n', 'escape', 'escape', 'escape', 'down', 'down', 'x');
    expect(ui.state.notice?.text).toContain('it was discarded already');
  });

  it('asks for the name of the environment in production', () => {
    const production = { environment: { name: 'production', label: 'production', isSandbox: false } };
    const ui = new Console(rows(5)).answer();
    ui.state = { ...ui.state, environment: production.environment as never };
    ui.press('x', 'enter');
    expect(ui.acted).toEqual([]);
    expect(ui.text).toContain('type production to go on');
    ui.type('production').press('enter');
    expect(ui.acted).toHaveLength(1);
  });

  it('redrives and reviews dead letters', () => {
    const ui = new Console([aListedDeadLetter(1), aListedDeadLetter(2)]).answer().press('left').answer();
    expect(ui.text).toContain('brevo resend');
    ui.press('R', 'y', 'down', 'x', 'y');
    expect(ui.acted).toMatchObject([
      { request: { kind: 'redrive', deadLetterIds: [idOf(1)] } },
      { request: { kind: 'discard', target: { by: 'letters', ids: [idOf(2)] } } },
    ]);
  });

  it('is refused in a read-only console, with the reason', () => {
    const ui = new Console(rows(3), { readOnly: 'this console is read-only' }).answer();
    for (const key of ['R', 'x']) {
      ui.press(key);
      expect(ui.state.notice?.text).toContain('this console is read-only');
    }
    expect(ui.state.dialog).toBeNull();
    expect(textOf(hintLine(ui.state, 200))).not.toMatch(/R retry|x discard/);
  });

  it('forgets the selection with the filter: what is out of sight is not acted on', () => {
    const ui = new Console().answer().press('v', 'right');
    expect(ui.press('R').state.notice?.text).toContain('nothing is selected');
    expect(ui.answer().press('R').text).toContain('Retry 1 email');
  });
});

describe('groups of errors', () => {
  it('are listed with their counts, and acted on as a whole', () => {
    const ui = new Console().answer().press('e').answer();
    expect(ui.text).toContain('by error · 39 emails in 2 groups');
    expect(ui.selected).toMatch(/^37 failed/);
    ui.press('x');
    expect(ui.text).toContain('Discard 37 emails');
    ui.press('y');
    expect(ui.acted).toMatchObject([
      {
        request: { kind: 'discard', target: { by: 'error', status: 'failed', errorKind: '550 no mailbox <address>' } },
      },
    ]);
  });

  it('open to the list of their emails, and Esc goes back to them', () => {
    const ui = new Console().answer().press('e').answer().press('down', 'enter');
    expect(ui.asked).toMatchObject([{ kind: 'queue-page', query: { status: 'failed', errorKind: 'timeout' } }]);
    ui.answer();
    expect(ui.text).toContain('failed with "timeout"');
    ui.press('escape').answer();
    expect(ui.selected).toMatch(/^2 failed/);
    ui.press('escape').answer();
    expect(ui.text).toContain('newest first');
    expect(ui.text).not.toContain('failed with');
  });
});

describe('the details', () => {
  it('show fields, what was tried, and the content', () => {
    const ui = new Console().answer().press('down', 'down', 'down', 'enter');
    expect(ui.text).toContain('loading…');
    ui.answer();
    for (const words of [
      'failed, 3 of 3 tries',
      'r***@example.org',
      'failed by brevo in 840 ms: timeout',
      'Content (HTML as text)',
      'Hello',
    ])
      expect(ui.text).toContain(words);
    expect(ui.press('R').text).toContain('Retry 1 email');
    expect(ui.press('n', 'escape').selected).toContain('00000003');
  });

  it('say what is known where the row is gone', () => {
    const ui = new Console([aListedDeadLetter(1, { originalQueueId: null })])
      .answer()
      .press('left')
      .answer()
      .press('enter');
    expect(ui.asked).toEqual([]);
    expect(ui.text).toContain('Its queue row is gone; R makes a new one.');
    expect(ui.text).toContain('attempts exhausted, after 3 tries');
  });

  it('scroll to their end and no further', () => {
    const ui = new Console([aListedEmail(1)]);
    ui.story = () =>
      details(
        aListedEmail(1),
        Array.from({ length: 80 }, (_, n) => `line ${n}`),
      );
    ui.answer().press('enter').answer();
    expect(ui.text).toContain('of 90 lines');
    expect(ui.press('G').text).toContain('line 79');
    expect(ui.press('down', 'down', 'up').text).not.toContain('line 79');
    expect(ui.press('g').text).toContain('queued, 0 of 3');
  });
});
