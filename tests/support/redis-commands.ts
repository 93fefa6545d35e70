/** Random Redis commands for the property test: the ones that this project uses, often right, sometimes wrong. */
import fc from 'fast-check';

/** Scripts of the kinds that the workers run. */
export const SCRIPTS = {
  compareAndDelete: "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0",
  extendIfMine:
    "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[1]) " +
    "return redis.call('pexpire', KEYS[1], 90000) end return redis.status_reply('NOT MINE')",
  countUntil:
    "local n = redis.call('hincrby', KEYS[1], 'n', ARGV[1]) redis.call('expireat', KEYS[1], 4102444800) " +
    "return {n, redis.call('hget', KEYS[1], 'n'), redis.call('hget', KEYS[1], 'none')}",
  allTypes: "return {1, 2.9, 'text', true, false, {redis.call('type', KEYS[1])}, redis.status_reply('FINE')}",
  caught:
    "local r = redis.pcall('lpush', KEYS[1], ARGV[1]) if type(r) == 'table' then return r end return {r, 'pushed'}",
  json: 'return cjson.encode({ARGV[1], 2})',
  unknownCommand: "return redis.call('nope')",
  wrongArity: "return redis.call('get')",
  raised: "error('boom')",
  returnedError: "return redis.error_reply('MINE failed')",
  nestedScript: "return redis.call('eval', 'return 1', '0')",
  badArgument: "return redis.call('set', KEYS[1], {})",
  global: 'x = 1',
  missingGlobal: 'return x',
  doesNotCompile: 'return +',
} as const;

/** Keys are named after the type that they mostly hold, so that most commands find what they expect. */
function keyFor(type: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(`${type}1`, `${type}2`) },
    { weight: 1, arbitrary: fc.constantFrom('string1', 'list1', 'hash1', 'set1', 'zset1', 'ключ:🥕') },
  );
}

/** Lua's numbers are doubles, into which it does not fit: scripts get everything but this. */
const MAX_INT64 = '9223372036854775807';
const text = fc.constantFrom('', 'x', 'y', 'ä🥕', 'with space', '{"a":1}', '10', '-3', '007', '1.5', MAX_INT64);
const member = fc.constantFrom('m1', 'm2', 'm3', 'é', '￿', '𐀀', '10');
const field = fc.constantFrom('f1', 'f2', 'n', '');
const int = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -4, max: 6 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('x', '', '01', '+1', '1.0', '9223372036854775807', '99999999999999999999') },
);
const score = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('0', '1', '2', '2.5', '-1', '1e3', '1764000000000', 'inf', '-inf', '+5') },
  { weight: 1, arbitrary: fc.constantFrom('x', '', 'nan', '(1') },
);
const bound = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('-inf', '+inf', '0', '1', '(1', '2.5', '(2.5', '1000') },
  { weight: 1, arbitrary: fc.constantFrom('x', '(x', 'nan') },
);
/** Far from now and from each other, so that a few ms between two servers decide nothing. */
const seconds = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('100', '1000', '10000') },
  { weight: 2, arbitrary: fc.constantFrom('0', '-5', 'x', '9223372036854775807') },
);
/** SET with a time that is past leaves a key that DBSIZE counts until the server gets round to it: not compared. */
const futureEpochSeconds = fc.constantFrom('4102444800', '4102444900', '-1', '0');
const epochSeconds = fc.constantFrom('4102444800', '4102444900', '4102445000', '1', '-1');

function anyCase(word: string): fc.Arbitrary<string> {
  return fc.constantFrom(word, word.toLowerCase());
}

function words(...parts: (string | fc.Arbitrary<string> | fc.Arbitrary<string[]>)[]): fc.Arbitrary<string[]> {
  const arbitraries = parts.map((part) => (typeof part === 'string' ? anyCase(part) : part));
  return fc.tuple(...(arbitraries as fc.Arbitrary<string | string[]>[])).map((values) => values.flat());
}

function several(part: fc.Arbitrary<string> | fc.Arbitrary<string[]>, maxLength = 3): fc.Arbitrary<string[]> {
  return fc.array(part as fc.Arbitrary<string | string[]>, { minLength: 1, maxLength }).map((values) => values.flat());
}

function options(...choices: fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> {
  return fc.array(fc.oneof(...choices), { maxLength: 2 }).map((values) => values.flat());
}

const flag = (...names: string[]) => fc.constantFrom(...names).chain((name) => words(name));
const s = keyFor('string');
const l = keyFor('list');
const h = keyFor('hash');
const t = keyFor('set');
const z = keyFor('zset');
const any = fc.oneof(s, l, h, t, z);

const COMMANDS: readonly fc.Arbitrary<string[]>[] = [
  words('PING', options(text.map((word) => [word]))),
  words('ECHO', text),
  words('GET', s),
  words('SET', s, text),
  words(
    'SET',
    s,
    text,
    options(
      flag('NX', 'XX', 'GET', 'KEEPTTL'),
      words('EX', seconds),
      words('PX', seconds),
      words('EXAT', futureEpochSeconds),
    ),
  ),
  words('SETEX', s, seconds, text),
  words('SETNX', s, text),
  words('GETDEL', s),
  words('GETSET', s, text),
  words('APPEND', s, text),
  words('STRLEN', s),
  words('MGET', several(any)),
  words('MSET', several(fc.tuple(s, text))),
  words('MSET', s),
  words('DEL', several(any)),
  words('EXISTS', several(any)),
  words('TYPE', any),
  words('KEYS', fc.constantFrom('*', 's*', '*1', '?et[12]', 'h[^2]*', 'ключ*', '\\*', '[sh]*', 'hash[1-2]')),
  words('SCAN', fc.constantFrom('0', '0', 'x'), fc.constant<string[]>(['MATCH', '*1', 'COUNT', '1000'])),
  words('EXPIRE', any, seconds),
  words('PEXPIRE', any, fc.constantFrom('100000', '1000000', '0', 'x')),
  words('EXPIREAT', any, epochSeconds, options(flag('NX', 'XX', 'GT', 'LT', 'nope'))),
  words(
    'PEXPIREAT',
    any,
    fc.constantFrom('4102444800000', '4102444900000', '5'),
    options(flag('NX', 'XX', 'GT', 'LT')),
  ),
  words('TTL', any),
  words('PTTL', any),
  words('PERSIST', any),
  words('INCR', s),
  words('DECR', s),
  words('INCRBY', s, int),
  words('DECRBY', s, int),
  words('HSET', h, several(fc.tuple(field, text))),
  words('HSET', h, field, text, field),
  words('HSETNX', h, field, text),
  words('HGET', h, field),
  words('HMGET', h, several(field)),
  words('HGETALL', h),
  words('HDEL', h, several(field)),
  words('HINCRBY', h, field, int),
  words('HLEN', h),
  words('HEXISTS', h, field),
  words('HKEYS', h),
  words('HVALS', h),
  words('LPUSH', l, several(text)),
  words('RPUSH', l, several(text)),
  words('LPOP', l, options(int.map((count) => [count]))),
  words('RPOP', l, options(int.map((count) => [count]))),
  words('LRANGE', l, int, int),
  words('LTRIM', l, int, int),
  words('LLEN', l),
  words('LREM', l, int, text),
  words('LINDEX', l, int),
  words('LSET', l, int, text),
  words('ZADD', z, several(fc.tuple(score, member))),
  words('ZADD', z, options(flag('NX', 'XX', 'GT', 'LT', 'CH', 'INCR')), several(fc.tuple(score, member), 2)),
  words('ZINCRBY', z, score, member),
  words('ZRANGE', z, int, int, options(flag('REV', 'WITHSCORES'))),
  words('ZRANGE', z, bound, bound, 'BYSCORE', options(flag('REV', 'WITHSCORES'), words('LIMIT', int, int))),
  words('ZRANGEBYSCORE', z, bound, bound, options(flag('WITHSCORES', 'REV'), words('LIMIT', int, int))),
  words('ZREVRANGEBYSCORE', z, bound, bound, options(flag('WITHSCORES'), words('LIMIT', int, int))),
  words('ZREVRANGE', z, int, int, options(flag('WITHSCORES'), words('LIMIT', int, int))),
  words('ZREM', z, several(member)),
  words('ZREMRANGEBYSCORE', z, bound, bound),
  words('ZREMRANGEBYRANK', z, int, int),
  words('ZCARD', z),
  words('ZSCORE', z, member),
  words('ZCOUNT', z, bound, bound),
  words('SADD', t, several(member)),
  words('SREM', t, several(member)),
  words('SMEMBERS', t),
  words('SISMEMBER', t, member),
  words('SCARD', t),
  words('DBSIZE'),
  words(
    'EVAL',
    fc.constantFrom(...Object.values(SCRIPTS)),
    fc.constant('1'),
    any,
    text.filter((word) => word !== MAX_INT64),
  ),
  words('EVAL', fc.constant(SCRIPTS.countUntil), fc.constant('1'), h, fc.constantFrom('1', '-2', '30', 'x')),
  words('EVAL', fc.constant('return ARGV'), int, several(text)),
  words('EVALSHA', fc.constantFrom('e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'x'), fc.constantFrom('0', 'x', '5')),
  words('SCRIPT', fc.constant('LOAD'), fc.constantFrom(...Object.values(SCRIPTS))),
];

/** Wrong number of words, or a command that does not exist. */
const malformed = fc.oneof(
  fc.oneof(...COMMANDS).map((command) => command.slice(0, 2)),
  fc.oneof(...COMMANDS).map((command) => [...command, 'extra']),
  words('NOPE', several(text)),
);

export const redisCommand: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 30, arbitrary: fc.oneof(...COMMANDS) },
  { weight: 2, arbitrary: malformed },
);
