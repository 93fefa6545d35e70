/** The same alert again within its cooldown is counted, not pushed: a list of a hundred must not fill with one trouble. */
import type { RaisedAlert } from './alert-rules.ts';
import { DAY_MS } from './time.ts';

/** A kind of alert that came up: when it was pushed, and how often it came up since the monitor knows it. */
export interface SeenAlert {
  readonly pushedAtEpochMs: number;
  readonly lastAtEpochMs: number;
  readonly count: number;
}

export interface Admission {
  /** To be pushed now, in the order in which they were raised. */
  readonly pushed: readonly RaisedAlert[];
  /** What to remember of everything that was raised, by its key. */
  readonly seen: Readonly<Record<string, SeenAlert>>;
  /** Keys that have not come up for a day. */
  readonly forgotten: readonly string[];
}

/** Decides what is pushed. `known` is what was remembered so far; two alerts with the same key count as one push. */
export function admitAlerts(
  raised: readonly RaisedAlert[],
  known: Readonly<Record<string, SeenAlert>>,
  { nowEpochMs, cooldownMs }: { readonly nowEpochMs: number; readonly cooldownMs: number },
): Admission {
  const pushed: RaisedAlert[] = [];
  const seen = new Map<string, SeenAlert>();
  for (const alert of raised) {
    const before = seen.get(alert.key) ?? (Object.hasOwn(known, alert.key) ? known[alert.key] : undefined);
    const isPushed = before === undefined || nowEpochMs - before.pushedAtEpochMs >= cooldownMs;
    if (isPushed) pushed.push(alert);
    seen.set(alert.key, {
      pushedAtEpochMs: isPushed ? nowEpochMs : before.pushedAtEpochMs,
      lastAtEpochMs: nowEpochMs,
      count: (before?.count ?? 0) + 1,
    });
  }
  const forgotten = Object.keys(known).filter(
    (key) => !seen.has(key) && nowEpochMs - (known[key]?.lastAtEpochMs ?? 0) > DAY_MS,
  );
  return { pushed, seen: Object.fromEntries(seen), forgotten };
}
