#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "redis/link.h"
#include "redis/value.h"

namespace roomcast::redis {

/// What a server says of itself.
struct ServerInfo {
  std::string product;         ///< "redis" or "valkey", or what else it calls itself
  std::string version;         ///< "7.0.15"
  std::string run_id;          ///< of its process, 40 hex digits
  std::string replication_id;  ///< of its data set, 40 hex digits
  std::string eviction;        ///< maxmemory_policy
  std::int64_t client_id = 0;  ///< of this connection
  bool is_primary = false;
  bool is_cluster = false;
  bool is_loading = false;   ///< its data are not all there yet
  std::string primary_host;  ///< of a replica
  std::uint16_t primary_port = 0;
};

/// The first commands on a link, sent together: HELLO 3 with AUTH and SETNAME, SELECT if the database is not
/// 0, INFO. A user needs no other rights for it (ACL: `+select +info`).
class Handshake {
 public:
  struct Options {
    std::string user{};  ///< empty: the user that Redis calls `default`
    std::string password{};
    std::string client_name{};  ///< without spaces; empty: none
    std::uint32_t database = 0;
  };
  class Listener {
   public:
    /// Once, unless the link goes down before. An error is in the words of who configures the server, and has
    /// no password in it. The handshake may be destroyed within the call, the link only as link.h says.
    virtual void on_handshake(base::Result<ServerInfo>&& outcome) = 0;

   protected:
    ~Listener() = default;
  };

  /// Sends the commands. `listener` outlives it; destroying it leaves the answers to nobody. It may outlive
  /// the link.
  Handshake(Link& link, const Options& options, Listener& listener);
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;
  ~Handshake();

 private:
  enum class Command : std::uint8_t { hello, select, info };
  /// Waits for one answer.
  class Step;

  void send(Link& link, Command command, std::string&& bytes);
  void on_answer(Command command, const Value& reply);
  [[nodiscard]] std::string explain(Command command, const Value& error) const;
  void finish(base::Result<ServerInfo>&& outcome);

  Listener& listener_;
  std::string user_;
  bool has_credentials_;
  std::uint32_t database_;
  ServerInfo info_;
  bool has_finished_ = false;
  std::array<Step*, 3> steps_{};  // by command; null: not under way
};

/// Takes what `INFO` says over into `info`.
void read_info(std::string_view text, ServerInfo& info);
/// Why a server that says this of itself can't be used, for the operator: empty if it can. Too old, a
/// replica, one whose run id or replication id is made up (a proxy), one that is still loading its data.
[[nodiscard]] std::string why_unusable(const ServerInfo& info);
/// What to tell the operator of a server that can be used: an eviction policy that loses history.
[[nodiscard]] std::vector<std::string> advice_for(const ServerInfo& info);

}  // namespace roomcast::redis
