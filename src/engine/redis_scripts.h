#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace roomcast::engine {

/// The scripts of the Redis engine, in Lua. They are loaded with SCRIPT LOAD and called by their SHA-1, so
/// that two releases can share a server. Each declares its keys, which are all in one slot. What can fail
/// comes before the first write, or is the first write (out of memory), so that a call that fails leaves no
/// trace.
///
/// Their guarantee is that of one data set: an offset is given once in an epoch. It rests on the term: a
/// random number that `enter` binds to the process of Redis, by its run id and its replication id. A restart,
/// a promotion or a move of the slot makes another one, and what is written next begins a new epoch for the
/// room (a fork), with the old one as its ancestor.
enum class RedisScript : std::uint8_t {
  /// KEYS: term. ARGV: a random term, for the case that there has to be another one.
  /// Answers the partition's term.
  enter,
  /// KEYS: term, meta, stream, amended [, idempotency].
  /// ARGV: term, random epoch, count, most messages kept, most bytes kept, their age in ms (0: none of them),
  /// seconds until the room is forgotten, ms of grace, PUBLISH or SPUBLISH, channel, batch, empty or, if it
  /// may have been published before, the position after which that was: epoch, `-`, offset [, digest of the
  /// message in hexadecimal,
  /// seconds that the key is kept].
  /// Answers {epoch, last offset, subscribed nodes, 1 if the key was known}.
  /// Errors: STALE, DOUBT ms, KEYREUSED; UNKNOWN if it is not known any more whether it has been published.
  publish,
  /// The same, for one amendment, without a key. ARGV further: removed, replaced or cleared; the epoch and
  /// the offset that it is about, of a clear both empty; the batch with what stands there from now on (of a
  /// replacement). Answers as `publish`: the place of the amendment. Errors: STALE, DOUBT ms, NOTFOUND.
  amend,
  /// KEYS: term, meta, stream, amended. ARGV: term, random epoch, offset to read after, most messages, most
  /// bytes (one batch at least), seconds until the room is forgotten, most messages kept, ms of grace.
  /// Answers {epoch, top, floor, lineage, ms for which the end is still in doubt, {last offset, batch, ...},
  /// {offset, what stands there, ...}}. Makes the room's log if there is none. Error: STALE.
  sync,
  /// KEYS: the node's beat. ARGV: what it holds, PUBLISH or SPUBLISH, the node's channel. Answers how many
  /// have got the message: 1 when pushes come.
  beat,
  /// KEYS: presence. ARGV: announce, drop or read; a server, for `read` empty for all; what it writes into
  /// its
  /// field, empty to remove it, or what the field begins with that is to be dropped; seconds until the hash
  /// is forgotten; PUBLISH or SPUBLISH; channel; what is distributed, if not empty.
  /// Answers, to `read`, servers and their fields by turns.
  presence,
  /// KEYS: the lease of this server, those of others. ARGV: seconds until it ends. Renews it. Answers for
  /// each
  /// whether it was there: "1" or "0".
  lease,
  /// Puts back what a log has lost with its server, as long as its end is in doubt: it was written last in
  /// another term, and the grace since the present one began is not over. Several nodes may try at once: each
  /// offset is taken once. The log stays in its epoch and in doubt.
  /// KEYS: term, meta, stream, amended [, idempotency, for each batch with a key]. ARGV: term, the log's
  /// epoch, the first offset, most messages kept, most bytes kept, their age in ms, ms of grace, PUBLISH or
  /// SPUBLISH, channel, seconds that keys are kept; then for each batch: count, what it amends (removed,
  /// replaced, cleared; empty: nothing), the offset that it is about, the digest of its key in hexadecimal
  /// (empty: it has none), batch.
  /// Answers {epoch, top, messages put back, 0}. Errors: STALE; LATE if the log is not in doubt, or in
  /// another epoch.
  restore,
  count_,
};
inline constexpr std::size_t redis_script_count = static_cast<std::size_t>(RedisScript::count_);

[[nodiscard]] std::string source_of(RedisScript script);
/// 40 hexadecimal digits.
[[nodiscard]] std::string sha1_of(RedisScript script);

}  // namespace roomcast::engine
