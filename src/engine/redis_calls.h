#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/engine.h"
#include "hub/lineage.h"
#include "redis/value.h"

namespace roomcast::engine {

/// Two digits for each byte, in lower case: how digests are given to scripts.
[[nodiscard]] std::string in_hexadecimal(std::string_view bytes);

// What the scripts of the Redis engine (redis_scripts.h) answer, as values.

/// Why a script has not done what it was asked for: what it says itself, or the server.
struct RedisFault {
  enum class Code : std::uint8_t {
    stale,          ///< the term is another one now: enter again, and ask again
    doubt,          ///< just after a failover: again in `wait_ms`
    key_reused,     ///< the idempotency key belongs to another message
    not_found,      ///< there is no message to amend
    no_script,      ///< the server does not know the script: load it, and ask again
    out_of_memory,  ///< past maxmemory
    not_primary,    ///< it can't write: a replica, a moved slot, loading, without enough replicas
    refused,        ///< all other errors: a missing right, a key of the wrong type
    late,           ///< what a log has lost can't be put back any more
    unknown,        ///< whether a batch that is sent again has been published can't be found out any more
    lost,           ///< the connection went down: the script may have run, or not
    garbled,        ///< an answer that none of the scripts gives
  };
  Code code = Code::garbled;
  std::string message;       ///< what the server said, for the log
  std::int64_t wait_ms = 0;  ///< of `doubt`
};

/// What an error says. Servers before 7.0 wrap what commands in a script have answered into words of their
/// own.
[[nodiscard]] RedisFault read_redis_fault(std::string_view error);

/// What publish and amend answer.
struct RedisPublished {
  hub::Position last;         ///< of the last message of the batch
  std::uint64_t nodes = 0;    ///< subscribers of the channel
  bool is_duplicate = false;  ///< `last` is that of an earlier message with the key; nothing was published
};
[[nodiscard]] base::Result<RedisPublished, RedisFault> read_published(const redis::Value& reply);

/// What sync answers. Refers to the reply.
struct RedisLogState {
  struct Batch {
    std::uint64_t last = 0;  ///< the offset of its last message
    std::string_view bytes{};
  };
  /// What stands at an offset now: an encoded batch of one, or nothing where a message has been removed.
  struct Amended {
    std::uint64_t offset = 0;
    std::string_view bytes{};
  };

  hub::Position top;
  std::uint64_t floor = 0;  ///< everything after it is kept
  hub::Lineage lineage;
  /// Above 0: it was written last in another term, and for so long what is lost may still be put back.
  std::int64_t doubt_ms = 0;
  std::vector<Batch> batches;    ///< in order; the first may begin before what was asked for
  std::vector<Amended> amended;  ///< of what `batches` have
};
[[nodiscard]] base::Result<RedisLogState, RedisFault> read_log_state(const redis::Value& reply);

/// `epoch-end,epoch-end`, the oldest first, epochs in hexadecimal; nothing if it is not that.
[[nodiscard]] std::optional<hub::Lineage> read_lineage(std::string_view text);

}  // namespace roomcast::engine
