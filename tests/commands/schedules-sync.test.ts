import { expect, it } from 'vitest';
import { wantedSchedules } from '../../src/domain/schedule-plan.ts';
import { json, startAnsweringServer } from '../support/answering-server.ts';
import { runCliProcess } from '../support/cli.ts';

const BASE = 'https://foodshare.club';

it('takes a new schedule back that could not be paused, and leaves the paused ones there', async () => {
  const three = wantedSchedules(BASE, false).map(({ id, ...rest }) => ({ ...rest, scheduleId: id, isPaused: true }));
  await using qstash = await startAnsweringServer((response, path) => {
    if (path.endsWith('/pause')) return json({ error: 'not today' }, 400)(response, path);
    if (path.startsWith('/v2/dlq')) return json({ messages: [] })(response, path);
    return json(path === '/v2/schedules' ? three : { scheduleId: 'email-tick' })(response, path);
  });
  const { exitCode, stdout } = await runCliProcess(['schedules', 'sync', '--one-tick', '--yes'], {
    env: { QSTASH_URL: qstash.url, QSTASH_TOKEN: 'secret', EMAIL_WORKER_BASE_URL: BASE },
  });
  expect(stdout).toContain('paused as what it replaces');
  expect(exitCode).not.toBe(0);
  const changed = qstash.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path}`);
  expect(changed.slice(1)).toEqual([
    expect.stringMatching(/^(PATCH|POST) \/v2\/schedules\/email-tick\/pause$/),
    'DELETE /v2/schedules/email-tick',
  ]);
  expect(changed[0]).toMatch(/^POST \/v2\/schedules\//);
});
