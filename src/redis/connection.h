#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/byte_stream.h"
#include "net/dialer.h"
#include "net/tls_client.h"
#include "net/tls_shared.h"
#include "redis/handshake.h"
#include "redis/link.h"
#include "redis/server_address.h"

namespace roomcast::redis {

/// Keeps one link to one server up: connects, speaks TLS where the address says so, shakes hands, and begins
/// anew when the link ends, after a wait that doubles up to Options::wait_max_ms, and is short again after a
/// link that has been of use for as long. A server that can't be used (why_unusable) is one that is not
/// there.
class Connection final : private net::Dialer::Listener,
                         private Handshake::Listener,
                         private Link::Owner,
                         private base::Deadline::Listener {
 public:
  class Owner {
   public:
    /// `link()` can be used from here on.
    virtual void on_connected(Connection& connection, const ServerInfo& server) = 0;
    /// It can't any more: all requests have been told that they are lost. Or it could not be made: `why` is
    /// for the log. Another attempt follows by itself.
    virtual void on_disconnected(Connection& connection, std::string_view why) = 0;
    virtual void on_push(Connection& connection, const Value& value) = 0;

   protected:
    ~Owner() = default;
  };
  struct Options {
    ServerAddress address{};
    std::string tls_name{};  ///< that the certificate has to be for; empty: the host of `address`
    ServerRole role = ServerRole::primary;
    Handshake::Options handshake{};
    Link::Limits limits{};
    std::int64_t connect_ms = 2'000;  ///< until the handshake is done
    std::int64_t wait_ms = 100;       ///< between attempts, doubled with each
    std::int64_t wait_max_ms = 3'000;
  };
  /// All of these outlive it. `tls` and `tls_context` may be null where no address has TLS.
  struct Parts {
    net::Dialer& dialer;
    net::TlsShared* tls = nullptr;
    const net::TlsClientContext* tls_context = nullptr;
    const base::Clock& clock;
    base::Scheduler& scheduler;
    base::Deadlines& deadlines;
  };

  Connection(const Parts& parts, Options options, Owner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// Not within a call of the owner.
  ~Connection();

  /// Begins with the first attempt. Once.
  void start();
  [[nodiscard]] bool is_up() const { return link_ != nullptr && is_up_; }
  /// Only while it is up.
  [[nodiscard]] Link& link() { return *link_; }
  /// Whether the link is up and takes another command of so many bytes: Link::has_space_for.
  [[nodiscard]] bool has_space_for(std::size_t bytes) const { return is_up() && link_->has_space_for(bytes); }
  /// Ends the link, if there is one, and begins anew: `why` is told the owner.
  void restart(std::string_view why);
  /// Ends the link, if there is one, and does not begin anew. What is under way is lost, and the owner is
  /// told, within the call.
  void stop(std::string_view why);

 private:
  void on_dialled(std::unique_ptr<net::ByteStream> stream) override;
  void on_dial_failed(std::string_view why) override;
  void on_handshake(base::Result<ServerInfo>&& outcome) override;
  void on_push(Link& link, const Value& value) override;
  void on_link_down(Link& link, std::string_view why) override;
  void on_deadline() override;

  void connect();
  void try_later(std::string_view why);
  void drop_link();

  Parts parts_;
  Options options_;
  Owner& owner_;
  std::unique_ptr<net::Dialer::Attempt> attempt_;
  std::unique_ptr<Link> link_;
  std::optional<Handshake> handshake_;
  bool is_up_ = false;
  bool is_stopped_ = false;
  std::int64_t up_since_ms_ = 0;
  std::int64_t next_wait_ms_ = 0;
  base::Deadline due_;  // the handshake's end, or the next attempt
};

}  // namespace roomcast::redis
