import { describe, expect, it } from 'vitest';
import { admitAlerts, type SeenAlert } from '../../src/domain/alert-cooldown.ts';
import type { RaisedAlert } from '../../src/domain/alert-rules.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';

const alert = (key: string): RaisedAlert => ({ key, severity: 'error', text: `${key} is wrong` });
const admit = (raised: readonly RaisedAlert[], known: Record<string, SeenAlert>, nowEpochMs: number) =>
  admitAlerts(raised, known, { nowEpochMs, cooldownMs: HOUR_MS });

describe('the cooldown of alerts', () => {
  it('pushes an alert once, counts it for an hour, and pushes it again then', () => {
    let known: Record<string, SeenAlert> = {};
    const pushedAt: number[] = [];
    for (let minute = 0; minute <= 120; minute += 5) {
      const { pushed, seen } = admit([alert('queue')], known, minute * MINUTE_MS);
      if (pushed.length > 0) pushedAt.push(minute);
      known = { ...known, ...seen };
    }
    expect(pushedAt).toEqual([0, 60, 120]);
    expect(known.queue?.count).toBe(25);
  });

  it('keeps alerts of different kinds apart', () => {
    const { seen } = admit([alert('one')], {}, 0);
    expect(admit([alert('one'), alert('two')], seen, MINUTE_MS).pushed.map(({ key }) => key)).toEqual(['two']);
  });

  it('pushes the same kind once when it comes twice at once', () => {
    const { pushed, seen } = admit([alert('one'), alert('one')], {}, 0);
    expect(pushed).toHaveLength(1);
    expect(seen.one?.count).toBe(2);
  });

  it('forgets what has not come up for a day', () => {
    const { seen } = admit([alert('one')], {}, 0);
    expect(admit([], seen, DAY_MS).forgotten).toEqual([]);
    expect(admit([], seen, DAY_MS + 1).forgotten).toEqual(['one']);
  });

  it('is not confused by keys that objects have anyway', () => {
    expect(admit([alert('constructor'), alert('__proto__')], {}, 0).pushed).toHaveLength(2);
  });
});
