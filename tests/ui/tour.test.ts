import { describe, expect, it } from 'vitest';
import { frameOf } from '../../src/ui/frame.ts';
import { hintLine } from '../../src/ui/hints.ts';
import { textOf } from '../../src/ui/line.ts';
import { reduce } from '../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../src/ui/state.ts';
import { afterEvents, aState, calmSnapshot, connected, keys } from '../support/dashboard.ts';
import { rowsOf } from '../support/screens.ts';

const READ: UiEvent = { type: 'read', snapshot: calmSnapshot() };

function first(): { state: State; effects: readonly Effect[] } {
  const [state, effects] = reduce(aState({ isFirstStart: true }), READ);
  return { state, effects };
}

describe('the tour', () => {
  it('begins with the first picture of the first start, and is never begun again', () => {
    const { state, effects } = first();
    expect(state.dialog).toEqual({ kind: 'tour', step: 0 });
    expect(effects).toContainEqual({ kind: 'tour-shown' });
    const left = afterEvents(state, ...keys('escape'));
    expect(left.dialog).toBeNull();
    expect(afterEvents(left, READ).dialog).toBeNull();
    expect(connected(calmSnapshot()).dialog).toBeNull();
  });

  it('points at five things that are on the screen, one after the other, and then is over', () => {
    let { state } = first();
    for (const id of ['banner', 'queue', 'quota', 'alerts', 'hints']) {
      const frame = frameOf(state);
      const note = frame.find((panel) => panel.id === 'tour');
      const target = frame.find((panel) => panel.id === id);
      if (note === undefined || target === undefined) throw new Error(`nothing points at ${id}`);
      // The tabs below the banner stay whole.
      const end = id === 'banner' ? 'tabs' : id;
      const below = frame.find((panel) => panel.id === end)?.rect ?? target.rect;
      const touches = note.rect.y === below.y + below.height || note.rect.y + note.rect.height === target.rect.y;
      expect(touches).toBe(true);
      state = afterEvents(state, ...keys('enter'));
    }
    expect(state.dialog).toBeNull();
  });

  it('goes back, and comes again from the help when it is wanted', () => {
    const { state } = first();
    expect(afterEvents(state, ...keys('enter', 'left')).dialog).toEqual({ kind: 'tour', step: 0 });
    const again = afterEvents(connected(calmSnapshot()), ...keys('2', '?', 't'));
    expect([again.view, again.dialog]).toEqual(['overview', { kind: 'tour', step: 0 }]);
  });

  it('takes no key for what it means elsewhere', () => {
    const { state } = first();
    expect(afterEvents(state, ...keys('p')).dialog).toEqual({ kind: 'tour', step: 1 });
  });

  it('offers its own keys in the last line, and no others', () => {
    const { state } = first();
    expect(textOf(hintLine(state, 80)).trim()).toBe('Enter next, ← back, Esc ends the tour');
    const last = afterEvents(state, ...keys('enter', 'enter', 'enter', 'enter'));
    expect(textOf(hintLine(last, 80)).trim()).toBe('Enter done, ← back, Esc ends the tour');
    expect(textOf(hintLine(afterEvents(last, ...keys('escape')), 80))).toMatch(/q quit $/);
  });

  it.each([
    { columns: 80, rows: 24 },
    { columns: 120, rows: 36 },
    { columns: 200, rows: 60 },
  ])('fits $columns×$rows', async (size) => {
    let state: State = { ...first().state, size };
    for (let step = 1; step <= 5; step += 1) {
      const text = (await rowsOf(state)).join('\n');
      expect(text).toContain(`${step} of 5`);
      expect(text).toContain('6 Runs');
      expect(text).toContain('Esc ends the tour');
      state = afterEvents(state, ...keys('enter'));
    }
  });
});
