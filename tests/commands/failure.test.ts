import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/commands/command.ts';
import { describeFailure } from '../../src/commands/failure.ts';
import { FaultError } from '../../src/data/fault.ts';

const linesOf = (cause: Error, message = 'Nothing was sent') =>
  describeFailure(new CommandError(message, { cause }), { help: 'x', isInterrupted: true }).lines;

describe('what lies behind a failure', () => {
  it('stands after it', () => {
    expect(linesOf(new Error('disk full'))).toEqual(['email-ops: Nothing was sent. (disk full)']);
  });

  it('is not said twice', () => {
    const cause = new FaultError({ code: 'unreachable', message: 'Postgres is not reachable.' });
    expect(linesOf(cause, 'Postgres is not reachable. Nothing was sent')).toEqual([
      'email-ops: Postgres is not reachable. Nothing was sent.',
    ]);
  });

  it.each([
    new DOMException('This operation was aborted', 'AbortError'),
    new FaultError({ code: 'cancelled', message: 'Waiting for Postgres was cancelled.' }),
  ])('is no news when we were told to stop: %s', (cause) => {
    expect(linesOf(cause)).toEqual(['email-ops: Nothing was sent.']);
  });
});
