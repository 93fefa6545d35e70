/**
 * The compound steps on the queue lock, each one Lua script, so that nothing comes in between (DESIGN §6.2, §6.3).
 * KEYS[1] is the announcement of a pause, KEYS[2…] are the slots of the lock. All slots are always passed: a console that is
 * configured for one slot must still see a worker in the fourth. An empty value counts as free.
 */

/** `others` is how many keys follow the slots. */
const prelude = (others: number) => `
local slots = #KEYS - 1 - ${others}
local function read()
  local values = redis.call('MGET', unpack(KEYS, 1, slots + 1))
  for index = 1, #values do
    if values[index] == '' then values[index] = false end
  end
  return values
end
local function isPause(value)
  return value and string.sub(value, 1, 6) == 'pause/'
end

-- Gives the announced pause every slot that is free, or with force every slot. Answers how many others still hold, and one
-- of them; when nobody does, the pause has what it waited for and its announcement ends.
local function advance(wanted, force)
  local values = read()
  local pause = values[1]
  if not pause then return -1, '' end
  local ttl = redis.call('PTTL', KEYS[1])
  if ttl < 1 then ttl = 1 end
  local busy, holder = 0, ''
  for slot = 1, slots do
    local value = values[slot + 1]
    if value and not isPause(value) and not force then
      busy = busy + 1
      if holder == '' then holder = value end
    elseif (not value and slot <= wanted) or (value and not isPause(value)) then
      redis.call('SET', KEYS[slot + 1], pause, 'PX', ttl)
    end
  end
  if busy == 0 then redis.call('DEL', KEYS[1]) end
  return busy, holder
end
`;

const PRELUDE = prelude(0);

/**
 * The last key is what was last seen of the holder that was silent for longest: the highest PTTL of its lock, and its value. A
 * worker that lives renews, so a PTTL that fell by `silentMs` below the highest is a dead one's, whatever its TTL was.
 *
 * ARGV: value, TTL ms, slots in use, silentMs. Answers acquired + slot + whose lock was taken over or an empty text, paused + value
 * + PTTL, or held + value + PTTL + in how many ms to ask again (0: nobody knows).
 */
export const ACQUIRE = `${prelude(1)}
local wanted = tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 1 then advance(wanted, false) end
local values = read()
for index = 1, #values do
  if isPause(values[index]) then return {'paused', values[index], redis.call('PTTL', KEYS[index])} end
end
for slot = 1, wanted do
  if not values[slot + 1] then
    redis.call('SET', KEYS[slot + 1], ARGV[1], 'PX', ARGV[2])
    return {'acquired', slot, ''}
  end
end

local oldest, left = 0, 0
for slot = 1, wanted do
  local ttl = redis.call('PTTL', KEYS[slot + 1])
  if string.sub(values[slot + 1], 1, 7) == 'worker/' and ttl > 0 and (oldest == 0 or ttl < left) then
    oldest, left = slot, ttl
  end
end
local held = {'held', values[2], redis.call('PTTL', KEYS[2]), 0}
if oldest == 0 then return held end

local holder, seen, silentMs = values[oldest + 1], KEYS[slots + 2], tonumber(ARGV[4])
local most = left
local seenMost, seenHolder = string.match(redis.call('GET', seen) or '', '^(%d+) (.*)$')
if seenHolder == holder then most = math.max(left, tonumber(seenMost)) end
if most - left >= silentMs then
  redis.call('SET', KEYS[oldest + 1], ARGV[1], 'PX', ARGV[2])
  redis.call('DEL', seen)
  return {'acquired', oldest, holder}
end
redis.call('SET', seen, string.format('%d %s', most, holder), 'PX', left)
held[4] = math.min(left, silentMs - (most - left))
return held
`;

/** ARGV: value, TTL ms, slot. Answers ours + announced pause, or lost + who holds it now. */
export const RENEW = `${PRELUDE}
local key = KEYS[tonumber(ARGV[3]) + 1]
local holder = redis.call('GET', key)
if holder ~= ARGV[1] then return {'lost', holder or ''} end
redis.call('PEXPIRE', key, ARGV[2])
return {'ours', redis.call('GET', KEYS[1]) or ''}
`;

/**
 * ARGV: value, slots in use. Frees what holds this value, whichever slot; an announced pause takes it in the same step, so
 * that no worker slips in between. Answers how many slots were freed.
 */
export const RELEASE = `${PRELUDE}
local values = read()
local freed = 0
for slot = 1, slots do
  if values[slot + 1] == ARGV[1] then freed = freed + redis.call('DEL', KEYS[slot + 1]) end
end
if values[1] then advance(tonumber(ARGV[2]), false) end
return freed
`;

/** ARGV: value, TTL ms, slots in use, force (1 or 0). Answers exists + value + PTTL, or done/waiting + how many hold + holder. */
export const PAUSE = `${PRELUDE}
local values = read()
for index = 1, #values do
  if isPause(values[index]) and values[index] ~= ARGV[1] then
    return {'exists', values[index], redis.call('PTTL', KEYS[index])}
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local busy, holder = advance(tonumber(ARGV[3]), ARGV[4] == '1')
return {busy == 0 and 'done' or 'waiting', busy, holder}
`;

/** ARGV: value, slots in use, force. Answers done, waiting + how many hold + holder, or gone when the pause was lifted. */
export const ADVANCE = `${PRELUDE}
local values = read()
if values[1] == ARGV[1] then
  local busy, holder = advance(tonumber(ARGV[2]), ARGV[3] == '1')
  return {busy == 0 and 'done' or 'waiting', busy, holder}
end
for slot = 1, slots do
  if values[slot + 1] == ARGV[1] then return {'done', 0, ''} end
end
return {'gone', 0, ''}
`;

/**
 * ARGV: value, new value, TTL ms. Prolongs the pause wherever it stands, and never shortens it. Answers for how many keys,
 * and the PTTL.
 */
export const EXTEND = `${PRELUDE}
local values = read()
local changed, left = 0, 0
for index = 1, #values do
  if values[index] == ARGV[1] then
    local ttl = math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[index]))
    redis.call('SET', KEYS[index], ARGV[2], 'PX', ttl)
    changed = changed + 1
    left = ttl
  end
end
return {changed, left}
`;

/** ARGV: value of the pause. Lifts exactly this one. Answers how many keys it held. */
export const RESUME = `${PRELUDE}
local values = read()
local lifted = 0
for index = 1, #values do
  if isPause(values[index]) and values[index] == ARGV[1] then lifted = lifted + redis.call('DEL', KEYS[index]) end
end
return lifted
`;

/** Answers a flat list: for each key that has a value its place, 0 for the announcement; the value; and the PTTL. */
export const INSPECT = `${PRELUDE}
local values = read()
local found = {}
for index = 1, #values do
  if values[index] then
    found[#found + 1] = index - 1
    found[#found + 1] = values[index]
    found[#found + 1] = redis.call('PTTL', KEYS[index])
  end
end
return found
`;
