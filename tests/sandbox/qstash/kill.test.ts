import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createQStash } from '../../../src/sandbox/qstash/qstash.ts';
import { startEndpoint } from './setup.ts';

test('after a kill -9 every acknowledged message is still delivered, and schedules and keys are there', async () => {
  await using endpoint = await startEndpoint();
  const folder = mkdtempSync(join(tmpdir(), 'qstash-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'publishing-child.ts'), folder, endpoint.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 300) child.kill('SIGKILL');
    }
    const arrived = () => new Set(endpoint.received.map(({ headers }) => headers.get('upstash-message-id')));
    const beforeRestart = arrived().size;
    expect(beforeRestart).toBeGreaterThan(0);

    const qstash = createQStash({ folder, token: 'token' });
    for (let n = 0; n < 20; n++) await qstash.runDue();
    for (const messageId of acknowledged) expect(arrived()).toContain(messageId);
    const schedules = await qstash.fetch(
      new Request('http://127.0.0.1:1/v2/schedules', { headers: { authorization: 'Bearer token' } }),
    );
    expect(await schedules.json()).toMatchObject([{ scheduleId: 'yearly' }]);
    await qstash.stop();
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  }
});
