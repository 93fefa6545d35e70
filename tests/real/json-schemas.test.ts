/** Every command that has `--json`, run as a process against a sandbox: it prints what docs/json.md says, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JSON_SCHEMAS, schemaOf } from '../../src/commands/json-schemas/table.ts';
import { type Running, runCliProcess, startCli, temporaryFolder } from '../support/cli.ts';

const env = { XDG_STATE_HOME: temporaryFolder() };
const AN_EMAIL = ['--to', 'maria@example.org', '--subject', 'Hi', '--html', '<p>Hi</p>'];
const AN_ALERT = 'CRITICAL: brevo is down';
const ID = '<id of an email>';

/** In this order: what comes earlier makes what comes later possible. */
const CALLS: readonly (readonly [command: string, ...more: string[]])[] = [
  ['sandbox status'],
  ['pause', '--for', '5m', '--reason', 'a test'],
  ['queue enqueue', ...AN_EMAIL],
  ['queue enqueue'],
  ['queue list', '--limit', '3'],
  ['queue list', '--status', 'completed', '--limit', '3'],
  ['queue show', ID],
  ['queue discard', ID, '--yes'],
  ['queue list', '--dead', '--reviewed'],
  ['queue show', ID],
  ['queue retry', ID],
  ['queue retry', '--failed', '--yes'],
  ['status'],
  ['run', 'queue-processor'],
  ['resume', '--yes'],
  ['resume'],
  ['run', 'health-monitor'],
  ['run', 'quota-sync', '--remote'],
  ['alerts list', '--all'],
  ['alerts ack', '--all', '--yes'],
  ['alerts list', '--all'],
  ['providers disable', 'brevo', '--for', '5m', '--yes'],
  ['providers list'],
  ['send-test', '--provider', 'brevo', '--to', 'maria@example.org', '--yes'],
  ['providers enable', 'brevo'],
  ['providers reset', 'brevo', '--yes'],
  ['send-test', '--provider', 'resend', '--to', 'maria@example.org', '--yes'],
  ['schedules sync', '--one-tick', '--yes'],
  ['schedules sync', '--yes'],
  ['schedules list'],
  ['doctor'],
  ['cost'],
  ['sandbox outbox', '--limit', '5'],
  ['watch', '--count', '1'],
];

describe('--json', () => {
  let sandbox: Running;
  let id = '';

  beforeAll(async () => {
    sandbox = startCli(['sandbox', '--json'], { env });
    await sandbox.untilStdout(/\n$/);
    const { environment } = JSON.parse(sandbox.stdout()) as { environment: Record<string, string> };
    const pushed = await fetch(environment.KV_REST_API_URL ?? '', {
      method: 'POST',
      headers: { authorization: `Bearer ${environment.KV_REST_API_TOKEN}` },
      body: JSON.stringify(['LPUSH', 'email:alerts:critical', AN_ALERT, `${AN_ALERT} [${new Date().toISOString()}]`]),
    });
    expect(pushed.status).toBe(200);
  });
  afterAll(async () => {
    sandbox?.child.kill('SIGTERM');
    await sandbox?.finished();
  });

  it('sandbox --json prints what its schema says', () => {
    expect(problemsOf('sandbox', sandbox.stdout())).toBeNull();
  });

  it.each(CALLS.map((call) => ({ call, line: call.join(' ') })))(
    '$line --json fits',
    async ({ call: [command, ...more] }) => {
      const words = [...command.split(' '), ...more.map((word) => (word === ID ? id : word)), '--json'];
      const input = command === 'queue enqueue' ? '{"to":"a@example.org","subject":"s","html":"h"}\n{\n' : '';
      const { stdout, stderr } = await runCliProcess(words, { env, input });
      expect(stdout, stderr).toMatch(/^\{"version":1,.*\}\n$/);
      expect(problemsOf(command, stdout)).toBeNull();
      const { ids } = JSON.parse(stdout) as { ids?: string[] };
      if (command === 'queue enqueue' && ids !== undefined) [id = ''] = ids;
    },
  );

  it('is asked of every command that has it', () => {
    const asked = new Set(['sandbox', ...CALLS.map(([command]) => command)]);
    expect(asked).toEqual(new Set(JSON_SCHEMAS.flatMap(({ commands }) => commands)));
  });
});

function problemsOf(command: string, stdout: string): unknown {
  const parsed = schemaOf(command).safeParse(JSON.parse(stdout));
  return parsed.success ? null : parsed.error.issues;
}
