import { createHash } from 'node:crypto'
import { aloneLength, longestStay, slack } from './frame.js'

/** A script on the server. It touches the keys of one slot only. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/** How long the log and its counters outlive their last use, in milliseconds. */
const logStay: number = 30 * 24 * 3_600_000

/**
 * What every script that knows frames begins with; see `frame.ts`. `ARGV[1]` is the time on the server's clock as the
 * caller knows it.
 */
const frames = `
local now = tonumber(ARGV[1])
local function number(bytes, at) return (struct.unpack('>d', bytes, at)) end
local function parse(bytes)
  if type(bytes) ~= 'string' or #bytes < 44 or bytes:sub(1, 2) ~= '\\252\\1' then return nil end
  local h = { token = bytes:sub(5, 28) }
  h.leased = bytes:byte(5) ~= 0 and number(bytes, 29) > now
  if bytes:byte(3) == 1 and #bytes >= 80 then
    local expired = number(bytes, 37)
    h.grace = number(bytes, 65)
    h.ends = expired > 0 and expired or number(bytes, 49) + number(bytes, 57)
    h.entry = now < h.ends + h.grace
    h.fresh = now < h.ends
  end
  return h
end
local function head(key) return parse(redis.pcall('GETRANGE', key, 0, 79)) end
local function stay(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, ms) end
end
`

/**
 * Adds to the log: \`log(meta, stream, from, kind, what, …)\`. \`from\` is the index in \`ARGV\` of who writes, how many
 * entries the log keeps, and a random word for a new epoch.
 */
const logging = `
local function log(meta, stream, from, ...)
  local n = redis.call('HINCRBY', meta, 'n', 1)
  if n == 1 then redis.call('HSETNX', meta, 'e', ARGV[from + 2]) end
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[from + 1], '*', 'n', n, 's', ARGV[from], ...)
  if n % 64 == 1 then
    redis.call('PEXPIRE', meta, ${logStay})
    redis.call('PEXPIRE', stream, ${logStay})
  end
end
`

/** Begins what the server says of a write that comes after its deadline. */
export const late = 'LATE'

/** Where the change of a key goes into the log in the same step: everywhere but on a Cluster. `from` as above. */
const told = (from: number): string => `log(KEYS[2], KEYS[3], ${from}, ARGV[${from + 3}], ARGV[${from + 4}])`

/**
 * The scripts that change a key. What cannot be written to the log is not set. With `logged`, KEYS[2] and KEYS[3] are the log's, and its five arguments come last.
 */
export interface KeyScripts {
  /** ARGV: now, the instant from which it is too late, stay, frame. Nobody is told anything by a late one. */
  readonly set: Script
  /** ARGV: now. Answers 1 if there was an entry. */
  readonly remove: Script
  /** ARGV: now. Answers 1 if there was an entry. */
  readonly expire: Script
}

export const keyScripts = (logged: boolean): KeyScripts => {
  const begin = frames + (logged ? logging : '')
  const tell = (from: number): string => (logged ? told(from) : '')
  return {
    set: script(`${begin}
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[2]) then
  return redis.error_reply('${late} the write came after its deadline and was not done')
end
${tell(5)}
if ARGV[3] == '0' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3]) end
return 1`),
    remove: script(`${begin}
local h = head(KEYS[1])
-- First: a server without room takes the rest of a script that has begun to make some.
redis.call('UNLINK', KEYS[1])
${tell(2)}
return h and h.entry and 1 or 0`),
    expire: script(`${begin}
local h = head(KEYS[1])
${tell(2)}
if not (h and h.entry) then
  redis.call('UNLINK', KEYS[1])
elseif h.grace == 0 then
  redis.call('UNLINK', KEYS[1])
else
  redis.call('SETRANGE', KEYS[1], 4, string.rep('\\0', 32))
  if h.fresh then
    redis.call('SETRANGE', KEYS[1], 36, struct.pack('>d', now))
    if h.grace < ${Number.MAX_SAFE_INTEGER} then redis.call('PEXPIRE', KEYS[1], math.ceil(h.grace) + ${slack}) end
  end
end
return h and h.entry and 1 or 0`),
  }
}

/**
 * What the scripts for many keys begin with: ARGV[2], `leases`, has for each key the frame of a lease alone, as
 * `leasesOf` in `frame.ts` packs them; `at` is where one begins, less 1. `length(at)` is how long Redis is to keep what
 * ends with it: as text, because Redis takes its time over numbers, and made once for all that end together.
 */
const leases = `
local call, pcall, sub, leases = redis.call, redis.pcall, string.sub, ARGV[2]
local lengths = {}
local function length(at)
  local ends = sub(leases, at + 29, at + 36)
  local text = lengths[ends]
  if not text then
    text = string.format('%.0f', math.min(${longestStay}, math.ceil(number(ends, 1) - now) + ${slack}))
    lengths[ends] = text
  end
  return text
end
`

/**
 * KEYS: any number. ARGV: now, the leases, and for each key a digit: 1 if a fresh entry may be passed over. Answers for
 * each key 1 if it is leased and had nothing, otherwise a status and what was there: 1 leased, 0 fresh, 2 taken, 3 not
 * ours, 4 not a string.
 */
export const acquire: Script = script(`${frames}${leases}
local function lend(key, at)
  local bytes = pcall('GET', key)
  if type(bytes) ~= 'string' then return { 4 } end
  local h = parse(bytes)
  if not h then return { 3, bytes } end
  if h.leased and h.token ~= sub(leases, at + 5, at + 28) then return { 2, bytes } end
  if h.entry then
    call('SETRANGE', key, 4, sub(leases, at + 5, at + 36))
    stay(key, tonumber(length(at)))
  else
    call('SET', key, sub(leases, at + 1, at + ${aloneLength}), 'PX', length(at))
  end
  return { 1, bytes }
end
local answers = {}
local found = call('MGET', unpack(KEYS))
local at = 0
for i, key in ipairs(KEYS) do
  local bytes = found[i]
  if not bytes and call('SET', key, sub(leases, at + 1, at + ${aloneLength}), 'NX', 'PX', length(at)) then
    answers[i] = 1
  else
    local h = bytes and ARGV[3]:byte(i) == 48 and parse(bytes)
    -- Anything else is looked at anew: a key may be among the keys twice.
    answers[i] = h and h.fresh and { 0, bytes } or lend(key, at)
  end
  at = at + ${aloneLength}
end
return answers`)

/** KEYS: any number. ARGV: now, the leases, and what `then` takes. Answers 1 for each key that is held, and 0. */
const whenHeld = (then: string): Script =>
  script(`${frames}${leases}
local answers = {}
local at = 0
for i, key in ipairs(KEYS) do
  -- A token is nowhere but in a frame, which is longer than this.
  local bytes = pcall('GETRANGE', key, '4', '35')
  if type(bytes) == 'string' and sub(bytes, 1, 24) == sub(leases, at + 5, at + 28) and number(bytes, 25) > now then
    ${then}
    answers[i] = 1
  else
    answers[i] = 0
  end
  at = at + ${aloneLength}
end
return answers`)

/** A lease's end is that of the entry: how long that is to be kept. ARGV from 3 on: the frames, or nothing. */
export const commit: Script = whenHeld(
  `if ARGV[2 + i] == '' then call('DEL', key) else call('SET', key, ARGV[2 + i], 'PX', length(at)) end`,
)

/** Gives each lease the end that comes with it. */
export const renew: Script = whenHeld(
  `call('SETRANGE', key, 4, sub(leases, at + 5, at + 36))
    stay(key, tonumber(length(at)))`,
)

/** Ends the leases, and leaves the entries. */
export const release: Script = whenHeld(
  `if head(key).entry then call('SETRANGE', key, 4, string.rep('\\0', 32)) else call('DEL', key) end`,
)

/** KEYS: meta, stream. ARGV: who, length, word, then pairs of kind and name. */
export const tell: Script = script(`${logging}
for i = 4, #ARGV, 2 do log(KEYS[1], KEYS[2], 1, ARGV[i], ARGV[i + 1]) end
return 1`)

/** KEYS: meta, stream. ARGV: a word for a new epoch. Answers epoch, changes, tag changes, last id, time. Keeps both alive. */
export const status: Script = script(`
if redis.call('HEXISTS', KEYS[1], 'e') == 0 then redis.call('HSET', KEYS[1], 'e', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ${logStay})
redis.call('PEXPIRE', KEYS[2], ${logStay})
local meta = redis.call('HMGET', KEYS[1], 'e', 'n', 't')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local time = redis.call('TIME')
return { meta[1], meta[2] or '0', meta[3] or '0', last[1] and last[1][1] or '0-0', time[1], time[2] }`)

/**
 * KEYS: meta, stream, markers. ARGV: who, length, word, how long a marker stays, the epoch and the count to answer
 * for (or nothing), then the tags' names. Answers the versions; nothing for one that may be younger.
 *
 * A version is the epoch, how many tag changes there had been, and a word of its own. One made in another epoch is
 * older than this one.
 */
export const tagVersions: Script = script(`${logging}
local versions = {}
local epoch = redis.call('HGET', KEYS[1], 'e')
for i = 3, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if version then
    redis.call('PEXPIRE', KEYS[i], ARGV[4])
  else
    redis.call('HSETNX', KEYS[1], 'e', ARGV[3])
    epoch = redis.call('HGET', KEYS[1], 'e')
    version = epoch .. '.' .. (redis.call('HGET', KEYS[1], 't') or '0') .. '.' .. ARGV[3]
    redis.call('SET', KEYS[i], version, 'PX', ARGV[4])
    log(KEYS[1], KEYS[2], 1, 't', ARGV[i + 4], 'v', version)
  end
  if ARGV[5] ~= '' then
    local made, count = version:match('^([^.]*)%.([^.]*)%.')
    if epoch ~= ARGV[5] or (made == epoch and tonumber(count) > tonumber(ARGV[6])) then version = false end
  end
  versions[i - 2] = version
end
return versions`)

/** KEYS: meta, stream, markers. ARGV: who, length, word, how long a marker stays, the tags' names. Answers the count of tag changes. */
export const invalidate: Script = script(`${logging}
redis.call('HSETNX', KEYS[1], 'e', ARGV[3])
local count = redis.call('HINCRBY', KEYS[1], 't', 1)
local version = redis.call('HGET', KEYS[1], 'e') .. '.' .. count .. '.' .. ARGV[3]
for i = 3, #KEYS do
  redis.call('SET', KEYS[i], version, 'PX', ARGV[4])
  log(KEYS[1], KEYS[2], 1, 't', ARGV[i + 2], 'v', version)
end
return count`)

/** All scripts but those of {@link keyScripts}. */
export const others: readonly Script[] = [
  acquire,
  commit,
  renew,
  release,
  tell,
  status,
  tagVersions,
  invalidate,
]
