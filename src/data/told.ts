/**
 * What people were told already, for all processes together: the hash `email:ops:told`, ours. One script compares it with what
 * stands and takes the news, so that of five consoles one tells.
 */
import type { Redis } from '@upstash/redis';
import {
  alertNotice,
  NEWS_MS,
  type Notice,
  pausedNotice,
  recoveredNotice,
  resumedNotice,
  type Standing,
} from '../domain/notice.ts';
import { KEY } from './keys.ts';
import { listOf } from './redis-read.ts';

export interface Told {
  /** The news in `standing` that nobody has told: the caller must, or give them back. Throws `RedisError`. */
  take(standing: Standing): Promise<readonly Notice[]>;
  /** Telling failed: whoever looks next takes them again. Throws `RedisError`. */
  giveBack(notices: readonly Notice[], standing: Standing): Promise<void>;
}

/** A system that nobody has watched for so long is new. */
const TTL_SECONDS = 7 * 24 * 3_600;

/**
 * Fields: `alert:<fingerprint>` → its newest time; `pause` → its key; `incident` → since when an alert has been told and no
 * recovery; `since`. ARGV: now, alerts from when on are news, whether all is well (1, 0 or ?), the pause (its key, none or ?),
 * whether the alerts are known, TTL, then fingerprint and time of each. An alert without a time has 0: it is news only to
 * those who were here before it.
 */
const TAKE = `
local key = KEYS[1]
local isFirst = redis.call('EXISTS', key) == 0
local flat = redis.call('HGETALL', key)
local known = {}
for index = 1, #flat, 2 do known[flat[index]] = flat[index + 1] end
local told = {}
if ARGV[5] == '1' then
  local present = {}
  for index = 7, #ARGV, 2 do
    local field = 'alert:' .. ARGV[index]
    local at = tonumber(ARGV[index + 1])
    local before = known[field] and tonumber(known[field])
    local isNewer = not before or at > before
    local isNews = not before or (isNewer and not known['incident'])
    local isTimely = at >= tonumber(ARGV[2]) or (at == 0 and not isFirst)
    present[field] = true
    if isNews and isTimely then told[#told + 1] = field end
    if isNewer then redis.call('HSET', key, field, ARGV[index + 1]) end
  end
  for field in pairs(known) do
    if string.sub(field, 1, 6) == 'alert:' and not present[field] then redis.call('HDEL', key, field) end
  end
end
if #told > 0 then
  redis.call('HSET', key, 'incident', ARGV[1])
elseif known['incident'] and ARGV[3] == '1' then
  redis.call('HDEL', key, 'incident')
  told[#told + 1] = 'recovered'
end
if ARGV[4] == 'none' then
  if known['pause'] then
    redis.call('HDEL', key, 'pause')
    told[#told + 1] = 'resumed'
  end
elseif ARGV[4] ~= '?' and known['pause'] ~= ARGV[4] then
  redis.call('HSET', key, 'pause', ARGV[4])
  told[#told + 1] = 'paused'
end
if isFirst then redis.call('HSET', key, 'since', ARGV[1]) end
redis.call('EXPIRE', key, ARGV[6])
return told
`;

export function createTold(redis: Redis): Told {
  return {
    take: async (standing) => {
      const { atEpochMs, alerts, pause, isWell } = standing;
      const args = [
        String(atEpochMs),
        String(atEpochMs - NEWS_MS),
        isWell === null ? '?' : isWell ? '1' : '0',
        pause === null ? '?' : pause === 'none' ? 'none' : pause.key,
        alerts === null ? '0' : '1',
        String(TTL_SECONDS),
        ...(alerts ?? []).flatMap((alert) => [alert.fingerprint, String(alert.atEpochMs ?? 0)]),
      ];
      const told = listOf(await redis.eval<string[], unknown>(TAKE, [KEY.told], args)).map(String);
      return told.flatMap((name) => noticesOf(name, standing));
    },
    giveBack: async (notices, { atEpochMs }) => {
      const pipeline = redis.pipeline();
      for (const { event, fingerprint } of notices) {
        if (event === 'alert') pipeline.hdel(KEY.told, `alert:${fingerprint}`);
        if (event === 'paused') pipeline.hdel(KEY.told, 'pause');
        // Whatever stands there is not 'none', which is what makes the end of a pause news.
        if (event === 'resumed') pipeline.hset(KEY.told, { pause: 'over' });
        if (event === 'recovered') pipeline.hset(KEY.told, { incident: String(atEpochMs) });
      }
      if (notices.length > 0) await pipeline.exec();
    },
  };
}

function noticesOf(name: string, standing: Standing): readonly Notice[] {
  const { alerts, pause } = standing;
  switch (name) {
    case 'recovered':
      return [recoveredNotice(standing)];
    case 'resumed':
      return [resumedNotice(standing)];
    case 'paused':
      return pause === null || pause === 'none' ? [] : [pausedNotice(pause, standing)];
    default:
      return (alerts ?? [])
        .filter(({ fingerprint }) => name === `alert:${fingerprint}`)
        .map((alert) => alertNotice(alert, standing));
  }
}
