import { describe, expect, test } from 'vitest';
import { faultOfRedis, RedisError } from '../../src/data/redis.ts';

function upstashError(message: string): Error {
  return Object.assign(new Error(message), { name: 'UpstashError' });
}

function fetchFailed(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });
}

describe('faults of Redis', () => {
  test.each([
    [upstashError('WRONGPASS invalid or missing auth token, command was: ["get","k"]'), 'unauthorized'],
    [upstashError('NOAUTH Authentication required.'), 'unauthorized'],
    [upstashError("NOPERM this user has no permissions to run the 'set' command"), 'unauthorized'],
    [upstashError('Command 2 [ set ] failed: NOPERM no permissions'), 'unauthorized'],
    [upstashError('ERR max requests limit exceeded. Limit: 500000, Usage: 500001.'), 'rate-limited'],
    [upstashError('ERR max daily request limit exceeded'), 'rate-limited'],
    [upstashError('ERR max request size exceeded'), 'protocol'],
    [upstashError('LOADING Redis is loading the dataset in memory'), 'unreachable'],
    [upstashError('ERR value is not an integer or out of range'), 'protocol'],
    [Object.assign(new Error('Unable to parse response body: <html>'), { name: 'UpstashJSONParseError' }), 'protocol'],
    [fetchFailed('ECONNREFUSED'), 'unreachable'],
    [fetchFailed('ENOTFOUND'), 'unreachable'],
    [fetchFailed('CERT_HAS_EXPIRED'), 'unreachable'],
    [new TypeError('fetch failed'), 'unreachable'],
    [new DOMException('timed out', 'TimeoutError'), 'timeout'],
    [new DOMException('aborted', 'AbortError'), 'cancelled'],
    [new RangeError('our own mistake'), 'internal'],
    ['no error at all', 'internal'],
    [undefined, 'internal'],
  ])('%s is %s', (error, code) => {
    const fault = faultOfRedis(error);
    expect(fault.code).toBe(code);
    expect(fault.message).not.toMatch(/\n|command was:/);
  });

  test('every fault that somebody can mend says how', () => {
    const codes = ['WRONGPASS x', 'NOPERM x', 'ERR max requests limit exceeded', 'LOADING x'];
    for (const text of codes) expect(faultOfRedis(upstashError(text)).remedy).toMatch(/\.$/);
    expect(faultOfRedis(fetchFailed('ECONNREFUSED')).remedy).toMatch(/KV_REST_API_URL/);
    expect(faultOfRedis(fetchFailed('CERT_HAS_EXPIRED')).remedy).toMatch(/certificate/);
  });

  test('nothing of the command is repeated, even where a value imitates the SDK', () => {
    const error = upstashError(
      'ERR no, command was: ["set","k","tok_secret, command was: tok_secret anna@example.org"]',
    );
    expect(JSON.stringify(faultOfRedis(error))).not.toMatch(/tok_secret|anna|example/);
    const unknown = upstashError("ERR unknown command 'x', with args beginning with: 'tok_secret' ");
    expect(JSON.stringify(faultOfRedis(unknown))).not.toMatch(/tok_secret/);
  });

  test('addresses in error texts are masked, and long texts cut', () => {
    const { message } = faultOfRedis(upstashError(`ERR cannot mail to anna@example.org ${'x'.repeat(5_000)}`));
    expect(message).not.toMatch(/anna/);
    expect(message.length).toBeLessThan(300);
  });

  test('an error of ours keeps its fault', () => {
    const fault = { code: 'timeout', message: 'Redis did not answer.' } as const;
    expect(faultOfRedis(new RedisError(fault))).toBe(fault);
  });
});
