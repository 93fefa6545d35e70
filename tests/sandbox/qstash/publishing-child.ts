/** Run by kill.test.ts as a process of its own: publishes one message after the other and says which were acknowledged. */
import { createQStash } from '../../../src/sandbox/qstash/qstash.ts';

const [folder = '', destination = ''] = process.argv.slice(2);
const qstash = createQStash({ folder, token: 'token' });
const call = (path: string, headers: Record<string, string> = {}, body = '') =>
  qstash.fetch(
    new Request(`http://127.0.0.1:1${path}${destination}`, {
      method: 'POST',
      headers: { authorization: 'Bearer token', ...headers },
      body,
    }),
  );

await call('/v2/schedules/', { 'upstash-cron': '0 0 1 1 *', 'upstash-schedule-id': 'yearly' });
qstash.start();
for (let n = 0; ; n++) {
  const { messageId } = (await (await call('/v2/publish/', {}, String(n))).json()) as { messageId: string };
  process.stdout.write(`${messageId}\n`);
  await new Promise((resolve) => setTimeout(resolve, 1));
}
