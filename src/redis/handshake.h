#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "redis/link.h"
#include "redis/server_info.h"
#include "redis/value.h"

namespace roomcast::redis {

/// The first commands on a link, sent together: HELLO 3 with AUTH and SETNAME, SELECT if the database is not
/// 0, INFO. A user needs no other rights for it (ACL: `+select +info`). A Sentinel has no databases, and is
/// not asked for INFO, which the ACL that Redis recommends for its clients does not allow.
class Handshake {
 public:
  struct Options {
    std::string user{};  ///< empty: the user that Redis calls `default`
    std::string password{};
    std::string client_name{};  ///< without spaces; empty: none
    std::uint32_t database = 0;
    bool is_for_sentinel = false;  ///< HELLO only
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
  bool is_for_sentinel_;
  ServerInfo info_;
  bool has_finished_ = false;
  std::array<Step*, 3> steps_{};  // by command; null: not under way
};

}  // namespace roomcast::redis
