#include "engine/redis_scripts.h"

#include <array>

#include "base/digest.h"

namespace roomcast::engine {

namespace {

constexpr std::string_view enter_source = R"lua(
local server = redis.call('INFO', 'server')
local replication = redis.call('INFO', 'replication')
local run = string.match(server, 'run_id:(%x+)')
local replid = string.match(replication, 'master_replid:(%x+)')
local id = run .. replid
local known = redis.call('HMGET', KEYS[1], 'id', 't')
if known[1] == id and known[2] then return known[2] end
local time = redis.call('TIME')
local ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'id', id, 't', ARGV[1], 'at', ms)
return ARGV[1]
)lua";

// What publish and amend have in common, as `ready`, which checks the term and says where the log stands, and
// `append`. Numbers are doubles: offsets are exact below 2^53.
constexpr std::string_view appending_source = R"lua(
local term, fresh, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kept, kept_bytes, age = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local batch = ARGV[11]

local function text(number) return string.format('%.0f', number) end

-- Forgets ancestors of which nothing is kept, and all but the last eight.
local function pruned(lineage, top)
  local all = {}
  for epoch, last in string.gmatch(lineage, '(%x+)-(%d+)') do
    if tonumber(last) >= top - kept then all[#all + 1] = epoch .. '-' .. last end
  end
  local from = math.max(1, #all - 7)
  return table.concat(all, ',', from)
end

local function ready()
  local current = redis.call('HMGET', KEYS[1], 't', 'at')
  if current[1] ~= term then return nil, redis.error_reply('STALE the term is another one') end
  local meta = redis.call('HMGET', KEYS[2], 'e', 'o', 't', 'l', 'b', 'f')
  if not meta[1] then
    return {epoch = fresh, top = 0, lineage = '', bytes = 0, floor = 0, is_new = true}
  end
  local log = {epoch = meta[1], top = tonumber(meta[2]), lineage = meta[4] or '', bytes = tonumber(meta[5] or 0),
    floor = tonumber(meta[6] or 0)}
  if meta[3] ~= term then
    if kept > 0 then
      local time = redis.call('TIME')
      local left = tonumber(current[2]) + tonumber(ARGV[8]) - (time[1] * 1000 + math.floor(time[2] / 1000))
      if left > 0 and left <= tonumber(ARGV[8]) then
        return nil, redis.error_reply('DOUBT ' .. text(left) .. ' ms until the tail may be replaced')
      end
    end
    local ancestor = log.epoch .. '-' .. text(log.top)
    log.lineage = pruned(log.lineage == '' and ancestor or log.lineage .. ',' .. ancestor, log.top)
    log.epoch = fresh
    log.has_forked = true
  end
  return log
end

-- Drops the oldest entries while what comes after them is as much as may be kept.
local function trim_to_bytes(total)
  for _ = 1, 64 do
    local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 2)
    if #first < 2 then return end
    local before = tonumber(first[1][2][6]) - #first[1][2][2]
    if total - before <= kept_bytes then return end
    redis.call('XDEL', KEYS[3], first[1][1])
  end
end

local function append(log)
  local top, bytes = log.top + count, log.bytes + #batch
  if kept > 0 then
    if log.is_new then redis.call('DEL', KEYS[3], KEYS[4]) end
    redis.call('XADD', KEYS[3], 'MINID', '~', text(math.max(top - kept + 1, 0)), text(top) .. '-0', 'd', batch,
      'n', count, 'b', text(bytes))
  end
  redis.call('HSET', KEYS[2], 'e', log.epoch, 'o', text(top), 't', term, 'l', log.lineage, 'b', text(bytes))
  if log.is_new or log.has_forked or math.floor(log.top / 64) ~= math.floor(top / 64) then
    redis.call('EXPIRE', KEYS[2], ARGV[7])
  end
  if kept > 0 then
    if age > 0 then redis.call('PEXPIRE', KEYS[3], ARGV[6]) end
    if kept_bytes > 0 and math.floor(bytes * 8 / kept_bytes) ~= math.floor(log.bytes * 8 / kept_bytes) then
      trim_to_bytes(bytes)
    end
  end
  local nodes = redis.call(ARGV[9], ARGV[10], log.epoch .. '-' .. text(log.top + 1) .. ':' .. batch)
  return {log.epoch, text(top), nodes, 0}
end
)lua";
constexpr std::string_view publish_source = R"lua(
local function epoch_at(log, offset)
  for epoch, last in string.gmatch(log.lineage, '(%x+)-(%d+)') do
    if offset <= tonumber(last) then return epoch end
  end
  return log.epoch
end

local function end_of(log, epoch)
  for ancestor, last in string.gmatch(log.lineage, '(%x+)-(%d+)') do
    if ancestor == epoch then return tonumber(last) end
  end
  return epoch == log.epoch and log.top or 0
end

-- Where the batch stands if it has been published after that offset. Nodes number their batches.
local function place_of_batch(log, after)
  if log.is_new then return nil end
  local name, before, oldest, is_end = string.sub(batch, 2, 17), '+', log.top + 1, false
  for _ = 1, 16 do
    local some = redis.call('XREVRANGE', KEYS[3], before, text(after + 1), 'COUNT', 64)
    for _, entry in ipairs(some) do
      local last = tonumber(string.match(entry[1], '^%d+'))
      if string.sub(entry[2][2], 2, 17) == name then return {epoch_at(log, last), text(last), 0, 0} end
      oldest, before = last - tonumber(entry[2][4]) + 1, '(' .. entry[1]
    end
    is_end = is_end or #some < 64
    if is_end then break end
  end
  if is_end and oldest <= after + 1 then return nil end
  return nil, redis.error_reply('UNKNOWN the log does not go back to where it may have been published')
end

local log, why = ready()
if not log then return why end
if KEYS[5] then
  local known = redis.call('GET', KEYS[5])
  if known then
    local epoch, offset, digest = string.match(known, '^(%x+)-(%d+):(%x*)$')
    if digest ~= ARGV[13] then return redis.error_reply('KEYREUSED the key belongs to another message') end
    return {epoch, offset, 0, 1}
  end
end
if ARGV[12] ~= '' then
  -- Where the log has lost that position it goes on, and may have the batch, after what it still has of its epoch.
  local epoch, offset = string.match(ARGV[12], '^(%x+)-(%d+)$')
  local place, unknown = place_of_batch(log, math.min(tonumber(offset), end_of(log, epoch)))
  if place or unknown then return place or unknown end
end
local answer = append(log)
if KEYS[5] then
  redis.call('SET', KEYS[5], answer[1] .. '-' .. answer[2] .. ':' .. ARGV[13], 'EX', ARGV[14])
end
return answer
)lua";

constexpr std::string_view amend_source = R"lua(
local log, why = ready()
if not log then return why end
local what, epoch, offset = ARGV[12], ARGV[13], tonumber(ARGV[14])
local function not_found() return redis.error_reply('NOTFOUND the log has no message there') end

if log.is_new then return not_found() end
if what == 'cleared' then
  if log.floor >= log.top then return not_found() end
  local floor = log.top
  local answer = append(log)
  redis.call('HSET', KEYS[2], 'f', text(floor))
  redis.call('XTRIM', KEYS[3], 'MINID', text(floor + 1))
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], answer[2], '')
  if age > 0 then redis.call('PEXPIRE', KEYS[4], ARGV[6]) end
  return answer
end

local last = epoch == log.epoch and log.top or -1
for ancestor, its_last in string.gmatch(log.lineage, '(%x+)-(%d+)') do
  if ancestor == epoch then last = tonumber(its_last) end
end
if offset > last or offset <= math.max(log.floor, log.top - kept) then return not_found() end
if redis.call('HGET', KEYS[4], text(offset)) == '' then return not_found() end
local answer = append(log)
redis.call('HSET', KEYS[4], text(offset), what == 'removed' and '' or ARGV[15], answer[2], '')
if age > 0 then redis.call('PEXPIRE', KEYS[4], ARGV[6]) end
-- Those of which the stream has nothing any more, once in a while.
if redis.call('HLEN', KEYS[4]) > 2 * kept + 64 then
  for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
    if tonumber(field) <= log.top - kept then redis.call('HDEL', KEYS[4], field) end
  end
end
return answer
)lua";

constexpr std::string_view sync_source = R"lua(
local function text(number) return string.format('%.0f', number) end
local current = redis.call('HMGET', KEYS[1], 't', 'at')
if current[1] ~= ARGV[1] then return redis.error_reply('STALE the term is another one') end
local meta = redis.call('HMGET', KEYS[2], 'e', 'o', 't', 'l', 'f')
if not meta[1] then
  redis.call('HSET', KEYS[2], 'e', ARGV[2], 'o', '0', 't', ARGV[1])
  redis.call('DEL', KEYS[3], KEYS[4])
  meta = {ARGV[2], '0', ARGV[1], '', '0'}
end
redis.call('EXPIRE', KEYS[2], ARGV[6])
local top, floor = tonumber(meta[2]), tonumber(meta[5] or 0)
local first = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
if not first then
  floor = top
else
  floor = math.max(floor, tonumber(string.match(first[1], '^%d+')) - tonumber(first[2][4]), top - tonumber(ARGV[7]))
end
local entries, amended = {}, {}
local messages, bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local from = tonumber(ARGV[3])
while first and messages > 0 and bytes > 0 and from < top do
  local some = redis.call('XRANGE', KEYS[3], text(from + 1), '+', 'COUNT', math.min(messages, 16))
  if #some == 0 then break end
  for _, entry in ipairs(some) do
    from = tonumber(string.match(entry[1], '^%d+'))
    entries[#entries + 1] = text(from)
    entries[#entries + 1] = entry[2][2]
    messages = messages - tonumber(entry[2][4])
    bytes = bytes - #entry[2][2]
    if messages <= 0 or bytes <= 0 then break end
  end
end
if #entries > 0 then
  local all = redis.call('HGETALL', KEYS[4])
  for i = 1, #all, 2 do
    local offset = tonumber(all[i])
    if offset > tonumber(ARGV[3]) and offset <= from then
      amended[#amended + 1] = all[i]
      amended[#amended + 1] = all[i + 1]
    end
  end
end
local doubt = 0
if meta[3] ~= ARGV[1] and tonumber(ARGV[7]) > 0 then
  local time = redis.call('TIME')
  local left = tonumber(current[2]) + tonumber(ARGV[8]) - (time[1] * 1000 + math.floor(time[2] / 1000))
  if left > 0 and left <= tonumber(ARGV[8]) then doubt = left end
end
return {meta[1], meta[2], text(floor), meta[4] or '', doubt, entries, amended}
)lua";

constexpr std::string_view beat_source = R"lua(
redis.call('SET', KEYS[1], ARGV[1], 'EX', 15)
return redis.call(ARGV[2], ARGV[3], ARGV[1])
)lua";

constexpr std::string_view presence_source = R"lua(
local what, node, value, news = ARGV[1], ARGV[2], ARGV[3], ARGV[7]
if what == 'read' then
  if node == '' then return redis.call('HGETALL', KEYS[1]) end
  local field = redis.call('HGET', KEYS[1], node)
  return field and {node, field} or {}
end
if what == 'drop' then
  local field = redis.call('HGET', KEYS[1], node)
  if not field or string.sub(field, 1, #value) ~= value then return {} end
  redis.call('HDEL', KEYS[1], node)
elseif value == '' then
  redis.call('HDEL', KEYS[1], node)
else
  redis.call('HSET', KEYS[1], node, value)
  redis.call('EXPIRE', KEYS[1], ARGV[4])
end
if news ~= '' then redis.call(ARGV[5], ARGV[6], news) end
return {}
)lua";

constexpr std::string_view lease_source = R"lua(
local answer = {}
for i = 1, #KEYS do answer[i] = tostring(redis.call('EXISTS', KEYS[i])) end
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
return answer
)lua";

constexpr std::string_view restore_source = R"lua(
local function text(number) return string.format('%.0f', number) end
local current = redis.call('HMGET', KEYS[1], 't', 'at')
if current[1] ~= ARGV[1] then return redis.error_reply('STALE the term is another one') end
local meta = redis.call('HMGET', KEYS[2], 'e', 'o', 't', 'b')
local time, grace = redis.call('TIME'), tonumber(ARGV[7])
local left = tonumber(current[2]) + grace - (time[1] * 1000 + math.floor(time[2] / 1000))
if meta[1] ~= ARGV[2] or meta[3] == ARGV[1] or left <= 0 or left > grace then
  return redis.error_reply('LATE the end of the log is not in doubt')
end
local top, bytes, last = tonumber(meta[2]), tonumber(meta[4] or 0), tonumber(ARGV[3]) - 1
local kept, age, next_key, restored = tonumber(ARGV[4]), tonumber(ARGV[6]), 5, 0
for i = 11, #ARGV, 5 do
  local count, what, about, digest, batch = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local key
  if digest ~= '' then
    key = KEYS[next_key]
    next_key = next_key + 1
  end
  local before = last
  last = last + count
  if before > top or (before < top and last > top) then break end
  if before == top then
    bytes = bytes + #batch
    redis.call('XADD', KEYS[3], 'MINID', '~', text(math.max(last - kept + 1, 0)), text(last) .. '-0', 'd', batch,
      'n', count, 'b', text(bytes))
    redis.call('HSET', KEYS[2], 'o', text(last), 'b', text(bytes))
    if what == 'cleared' then
      redis.call('HSET', KEYS[2], 'f', text(top))
      redis.call('XTRIM', KEYS[3], 'MINID', text(last))
      redis.call('DEL', KEYS[4])
      redis.call('HSET', KEYS[4], text(last), '')
    elseif what ~= '' then
      redis.call('HSET', KEYS[4], about, what == 'removed' and '' or batch, text(last), '')
    end
    if key then redis.call('SET', key, ARGV[2] .. '-' .. text(last) .. ':' .. digest, 'EX', ARGV[10]) end
    redis.call(ARGV[8], ARGV[9], ARGV[2] .. '-' .. text(top + 1) .. ':' .. batch)
    top, restored = last, restored + count
  end
end
if restored > 0 and age > 0 then
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
  redis.call('PEXPIRE', KEYS[4], ARGV[6])
end
return {ARGV[2], text(top), restored, 0}
)lua";

constexpr std::array<std::string_view, redis_script_count> sources{
    enter_source, publish_source,  amend_source, sync_source,
    beat_source,  presence_source, lease_source, restore_source};

}  // namespace

std::string source_of(RedisScript script) {
  const bool appends = script == RedisScript::publish || script == RedisScript::amend;
  std::string source(appends ? appending_source : std::string_view());
  source += sources.at(static_cast<std::size_t>(script));
  return source;
}

std::string sha1_of(RedisScript script) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::string source = source_of(script);
  std::string text;
  for (const unsigned char byte : base::Sha1().digest({source})) {
    text += digits[byte >> 4U];
    text += digits[byte & 0xFU];
  }
  return text;
}

}  // namespace roomcast::engine
