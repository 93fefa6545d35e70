/** That every `--json` has its schema, and that a snapshot fits its own in every state that it can be in. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { JSON_SCHEMAS, schemaOf } from '../../src/commands/json-schemas/table.ts';
import { snapshotJson } from '../../src/commands/render/snapshot-json.ts';
import { failedAfter, loaded } from '../../src/domain/loaded.ts';
import type { Lock } from '../../src/domain/lock.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { everyCommandLine } from '../support/every-command.ts';
import { aBlindSnapshot, aSnapshot, NOON } from '../support/snapshot.ts';

const FAULT = { code: 'timeout', message: 'Redis did not answer', remedy: 'Wait' } as const;
const PAUSE = { operator: 'anna', host: 'ops-1', startedAtEpochMs: NOON, reason: 'why' };
const LOCKS: readonly Lock[] = [
  { kind: 'free' },
  { kind: 'worker', host: 'w1', pid: 7, token: 'x', expiresAtEpochMs: NOON },
  { kind: 'worker', host: 'w1', pid: 7, token: 'x', expiresAtEpochMs: null },
  { kind: 'paused', ...PAUSE, expiresAtEpochMs: NOON },
  { kind: 'unknown-holder', value: 'a-uuid', expiresAtEpochMs: null },
];

function problemsOf(snapshot: Snapshot): unknown {
  const parsed = schemaOf('status').safeParse(JSON.parse(snapshotJson(snapshot, verdictOf(snapshot))));
  return parsed.success ? null : parsed.error.issues;
}

describe('the schemas of --json', () => {
  it('are there for every command that has --json, and for no other', async () => {
    const lines = (await everyCommandLine()).filter((words) => words.includes('--json'));
    const commands = lines.map((words) =>
      JSON_SCHEMAS.flatMap((row) => row.commands).findLast((command) => words.join(' ').startsWith(command)),
    );
    expect(commands).not.toContain(undefined);
    expect(new Set(commands)).toEqual(new Set(JSON_SCHEMAS.flatMap((row) => row.commands)));
  });

  it('are published under the same names', () => {
    const published = JSON.parse(readFileSync(new URL('../../docs/json-schemas.json', import.meta.url), 'utf8'));
    expect(Object.keys(published.$defs)).toEqual(JSON_SCHEMAS.flatMap((row) => row.commands));
  });

  it('fit a snapshot that is well, one that saw nothing, and one whose parts are old', () => {
    const well = aSnapshot();
    const old = { ...well, alerts: failedAfter(well.alerts, FAULT, NOON), queue: failedAfter(well.queue, FAULT) };
    for (const snapshot of [well, old, aBlindSnapshot(FAULT)]) expect(problemsOf(snapshot)).toBeNull();
  });

  it.each(LOCKS)('fit whoever holds the lock: $kind', (lock) => {
    const announcedPause = lock.kind === 'worker' ? { ...PAUSE, expiresAtEpochMs: NOON } : null;
    for (const slots of [{}, { otherSlotsHeld: 1, freeSlots: 1 }])
      expect(problemsOf(aSnapshot({ lock: loaded({ lock, ...slots, announcedPause }, NOON) }))).toBeNull();
  });
});
