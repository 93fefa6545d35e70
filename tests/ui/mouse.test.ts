import { describe, expect, it } from 'vitest';
import { reduce } from '../../src/ui/reduce.ts';
import type { UiEvent } from '../../src/ui/state.ts';
import { tabAt, tabLabels } from '../../src/ui/tabs.ts';
import { afterEvents, calmSnapshot, connected, keys } from '../support/dashboard.ts';

const mouse = (action: 'press' | 'wheel-up' | 'wheel-down', x = 0, y = 0): UiEvent => ({
  type: 'input',
  input: { kind: 'mouse', action, x, y },
});

describe('the mouse', () => {
  it('goes to the view whose tab is clicked', () => {
    const tabs = tabLabels();
    const last = tabs.at(-1);
    const x = tabs.slice(0, -1).reduce((sum, { label }) => sum + label.length + 1, 1);
    expect(tabAt(x, 2)).toBe(last?.id);
    expect(tabAt(x, 3)).toBeNull();
    expect(afterEvents(connected(calmSnapshot()), mouse('press', x, 2)).view).toBe(last?.id);
  });

  it('finds the tabs also where they stand closer', () => {
    expect(
      tabLabels(60)
        .map(({ label }) => label)
        .join(' '),
    ).toHaveLength(58);
    expect(tabAt(0, 2, 60)).toBe('overview');
    expect(tabAt(57, 2, 60)).toBe('runs');
  });

  it('scrolls the help, and nothing that does not scroll', () => {
    const help = afterEvents(
      connected(calmSnapshot()),
      ...keys('?'),
      mouse('wheel-down'),
      mouse('wheel-down'),
      mouse('wheel-up'),
    );
    expect(help.dialog).toEqual({ kind: 'help', scroll: 3 });
    const state = connected(calmSnapshot());
    expect(reduce(state, mouse('wheel-down'))).toEqual([state, []]);
  });

  it('does nothing outside: a click never answers a question', () => {
    const asked = afterEvents(connected(calmSnapshot()), ...keys('p'));
    expect(reduce(asked, mouse('press', 40, 18))).toEqual([asked, []]);
  });
});
