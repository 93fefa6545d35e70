import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openOutbox } from '../../../src/sandbox/email-function/outbox.ts';

test('whatever was acknowledged before a kill -9 is in the outbox, and is counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-function-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sending-child.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const acknowledged: string[] = [];
    // Enough for several compactions, so that a kill may meet one.
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 400) child.kill('SIGKILL');
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);

    const outbox = openOutbox(folder, 100);
    const kept = outbox.list({ limit: 1_000 });
    for (const { idempotencyKey, messageId } of kept) {
      const told = acknowledged.find((line) => line.startsWith(`${idempotencyKey?.slice(4)} `));
      if (told !== undefined) expect(told).toContain(messageId);
    }
    const counted = outbox.deliveredIn('resend', '');
    // One more may have been written without its acknowledgement getting out.
    expect(counted - acknowledged.length).toBeGreaterThanOrEqual(0);
    expect(counted - acknowledged.length).toBeLessThanOrEqual(1);
    expect(outbox.summary().dropped + kept.length).toBe(counted);
    outbox.close();
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  }
});
