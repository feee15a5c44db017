import { type Script, script } from '../scripts.js'

/**
 * What every script of a journal begins with. `KEYS`: the operations (a hash: key → sequence, kind, value), when they
 * may be claimed (a sorted set, in microseconds), the dead letters (a sorted set, by when they died), what is being
 * done (a hash: key → the sequence that was handed out), failed attempts (a hash), the last errors (a hash: key →
 * when, what), and the counters. All have one hash tag. Time is the server's.
 */
const begin = `
local ops, due, dead, claims, attempts, errors, state = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
local function count(name, by) redis.call('HINCRBY', state, name, by) end
local function forget(key)
  redis.call('HDEL', claims, key)
  redis.call('HDEL', attempts, key)
  redis.call('HDEL', errors, key)
end
local function sequence(op) return struct.unpack('>d', op) end
`

/** How many bytes stand before the value: the sequence and the kind. */
export const opHead = 9

const journal = (lua: string): Script => script(begin + lua)

/**
 * Accepts. ARGV: key, kind (0 delete, 1 put), value, limit, the instant from which it is too late: what was reported
 * as failed is not to be accepted when it arrives at last. Answers with the sequence, or with nothing if there is no
 * room. The sequence is larger than the last, and than the server's microseconds: it grows also when all was lost.
 */
export const put: Script = journal(`
local key = ARGV[1]
if now > tonumber(ARGV[5]) then
  return redis.error_reply('LATE the write came after its deadline and was not accepted')
end
local old = redis.call('HEXISTS', ops, key) == 1
if not old and redis.call('HLEN', ops) >= tonumber(ARGV[4]) then return false end
local next = math.max(tonumber(redis.call('HGET', state, 'seq') or '0') + 1, now)
redis.call('HSET', state, 'seq', text(next))
redis.call('HSET', ops, key, struct.pack('>dB', next, tonumber(ARGV[2])) .. ARGV[3])
count('accepted', 1)
if old then
  count('coalesced', 1)
  redis.call('HDEL', attempts, key)
  if redis.call('ZREM', dead, key) == 1 then
    forget(key)
    redis.call('ZADD', due, text(now), key)
  end
else
  redis.call('ZADD', due, text(now), key)
end
return text(next)`)

/** Hands out. ARGV: how many, for how long in microseconds. Answers with key, operation, attempts of each. */
export const claim: Script = journal(`
local answer = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', text(now), 'LIMIT', 0, ARGV[1])) do
  local op = redis.call('HGET', ops, key)
  redis.call('HSET', claims, key, text(sequence(op)))
  redis.call('ZADD', due, text(now + tonumber(ARGV[2])), key)
  answer[#answer + 1] = key
  answer[#answer + 1] = op
  answer[#answer + 1] = redis.call('HGET', attempts, key) or '0'
end
return answer`)

/** Ends. ARGV: key and sequence of each. */
export const ack: Script = journal(`
for i = 1, #ARGV, 2 do
  local key, done = ARGV[i], ARGV[i + 1]
  local op = redis.call('HGET', ops, key)
  if op and text(sequence(op)) == done then
    redis.call('HDEL', ops, key)
    redis.call('ZREM', due, key)
    redis.call('ZREM', dead, key)
    forget(key)
    count('applied', 1)
  elseif op and redis.call('HGET', claims, key) == done then
    redis.call('HDEL', claims, key)
    redis.call('ZADD', due, text(now), key)
  end
end
return 1`)

/** Gives back. ARGV, of each: key, sequence, whether it was tried, the error, microseconds to wait or -1 for never. */
export const fail: Script = journal(`
for i = 1, #ARGV, 5 do
  local key, failed, tried, message, wait = unpack(ARGV, i, i + 4)
  local op = redis.call('HGET', ops, key)
  local current = op and text(sequence(op)) == failed
  local claimed = op and redis.call('HGET', claims, key) == failed
  if (current or claimed) and not redis.call('ZSCORE', dead, key) then
    redis.call('HDEL', claims, key)
    if current and tried == '1' then
      redis.call('HINCRBY', attempts, key, 1)
      redis.call('HSET', errors, key, text(now) .. ' ' .. message)
    end
    if wait ~= '-1' then
      redis.call('ZADD', due, text(now + tonumber(wait)), key)
    elseif current then
      redis.call('ZREM', due, key)
      redis.call('ZADD', dead, text(now), key)
    else
      redis.call('ZADD', due, text(now), key)
    end
  end
end
return 1`)

/** ARGV: keys. Answers with operation and whether it is dead, of each; nothing for one that is not there. */
export const read: Script = journal(`
local answer = {}
for i, key in ipairs(ARGV) do
  answer[2 * i - 1] = redis.call('HGET', ops, key)
  answer[2 * i] = redis.call('ZSCORE', dead, key) and 1 or 0
end
return answer`)

/** ARGV: how many. Answers with key, operation, attempts, error of each, the oldest first. */
export const deadLetters: Script = journal(`
local answer = {}
for _, key in ipairs(redis.call('ZRANGE', dead, 0, tonumber(ARGV[1]) - 1)) do
  answer[#answer + 1] = key
  answer[#answer + 1] = redis.call('HGET', ops, key)
  answer[#answer + 1] = redis.call('HGET', attempts, key) or '0'
  answer[#answer + 1] = redis.call('HGET', errors, key) or (text(now) .. ' ')
end
return answer`)

/** For dead letters: those of ARGV from the second on, or the oldest, as many as ARGV[1]. Answers with their keys. */
const ofDead = (what: string): Script =>
  journal(`
local wanted = {}
if ARGV[1] == '0' then
  for i = 2, #ARGV do wanted[i - 1] = ARGV[i] end
else
  wanted = redis.call('ZRANGE', dead, 0, tonumber(ARGV[1]) - 1)
end
local answer = {}
for _, key in ipairs(wanted) do
  if redis.call('ZREM', dead, key) == 1 then
    forget(key)
    ${what}
    answer[#answer + 1] = key
  end
end
return answer`)

/** Makes dead letters pending again. ARGV: see {@link ofDead}. */
export const retry: Script = ofDead(`redis.call('ZADD', due, text(now), key)`)

/** Forgets dead letters. ARGV: see {@link ofDead}. */
export const drop: Script = ofDead(`redis.call('HDEL', ops, key) count('dropped', 1)`)

/** Answers with accepted, applied, coalesced, dropped, pending, dead. */
export const counts: Script = journal(`
local counted = redis.call('HMGET', state, 'accepted', 'applied', 'coalesced', 'dropped')
for i = 1, 4 do counted[i] = tonumber(counted[i] or '0') end
counted[5] = redis.call('ZCARD', due)
counted[6] = redis.call('ZCARD', dead)
return counted`)
