/** Following a message at a QStash that does not always answer. */
import { describe, expect, test } from 'vitest';
import { runRemotely } from '../../src/data/remote-run.ts';
import { json, startAnsweringServer } from '../support/answering-server.ts';

const NOBODY_STOPS = new AbortController().signal;

describe('a run at the deployed endpoint', () => {
  const follow = (url: string) =>
    runRemotely({ url, token: 'token' }, { destination: 'https://app.example/api', signal: NOBODY_STOPS, pollMs: 1 });
  /** Takes the message, then fails as often as told whenever it is asked what became of it. */
  const failing = (times: number) => {
    let left = times;
    return startAnsweringServer((response, path) => {
      if (path.startsWith('/v2/publish/')) return json({ messageId: 'msg_1' })(response, path);
      left -= 1;
      if (left >= 0) return json({ error: 'too many requests' }, 429)(response, path);
      return json({ events: [{ time: 1, state: 'DELIVERED', messageId: 'msg_1' }] })(response, path);
    });
  };

  test('is not lost sight of when QStash does not want to be asked so soon', async () => {
    await using qstash = await failing(3);
    expect(await follow(qstash.url)).toEqual({ messageId: 'msg_1', outcome: 'delivered', error: null });
    expect(qstash.requests.filter(({ path }) => path.startsWith('/v2/publish/'))).toHaveLength(1);
  });

  test('ends with QStash’s own words when it cannot be asked at all', async () => {
    await using qstash = await failing(Number.POSITIVE_INFINITY);
    await expect(follow(qstash.url)).rejects.toThrow(/QStash.*429/);
  });
});
