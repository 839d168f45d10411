#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "fetch/options.h"
#include "fetch/request.h"
#include "loop/loop.h"
#include "loop/poller.h"

namespace roomcast::fetch {

class Client;
class MultiHandle;

/// One request at a time, and its answer. Destroying it, or starting another request, aborts the one under
/// way. May outlive its client; after that nothing is sent and no listener called.
class Transfer final : private base::Linked<Transfer> {
 public:
  class Listener {
   public:
    /// The end of a request, at the end of a turn and never within start(). The transfer may be started again
    /// or destroyed from here.
    virtual void on_fetched(base::Result<Response, Failure> result) = 0;

   protected:
    ~Listener() = default;
  };

  Transfer(Client& client, Listener& listener);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Sends `request`, or has it wait for its turn. The listener is called once in any case.
  void start(Request request);
  /// The listener is not called for the request under way.
  void cancel();
  /// Whether the listener is still to be called.
  [[nodiscard]] bool is_active() const { return state_ != nullptr; }

 private:
  friend class Client;
  template <class Item, class Tag>
  friend class base::LinkedList;
  struct State;

  Client* client_;
  Listener& listener_;
  std::unique_ptr<State> state_;  // null: no request is under way
};

struct ClientStats {
  /// Requests that have ended, by outcome.
  std::array<std::uint64_t, static_cast<std::size_t>(Outcome::count_)> ended{};
  std::size_t running = 0;
  std::size_t waiting = 0;
  std::size_t waiting_bytes = 0;
  std::size_t left_lookups = 0;  ///< look-ups of names whose requests have ended, and that may go on
};

/// An HTTP client on the loop, one for the server: HTTP/1.1 over TCP or TLS by libcurl, which reuses
/// connections. Nothing blocks: names are looked up in threads of libcurl, one for each look-up under way.
///
/// libcurl is initialised with the first request. Proxies are taken from the environment, as by curl
/// (http_proxy, https_proxy, all_proxy, no_proxy); no other file or variable is read: no .netrc, no cookies.
/// Redirects are not followed.
class Client final : private base::TurnTask, private base::Deadline::Listener {
 public:
  /// All arguments but the options outlive the client.
  Client(loop::Loop& loop, loop::Poller& poller, base::Deadlines& deadlines, base::Scheduler& scheduler,
         ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Aborts all requests.
  ~Client();

  [[nodiscard]] const ClientStats& stats() const { return stats_; }

 private:
  friend class Transfer;
  using Transfers = base::LinkedList<Transfer, Transfer>;

  void start(Transfer& transfer, Request request);
  void cancel(Transfer& transfer);
  void run(Transfer& transfer);
  void run_waiting();
  [[nodiscard]] bool has_room() const;
  void leave_lookup();
  /// Has the listener called at the end of the turn.
  void finish(Transfer& transfer, base::Result<Response, Failure> result);
  /// Frees what `transfer` occupies: its place in the queue, or its connection.
  void release(Transfer& transfer);
  [[nodiscard]] std::optional<Failure> open();
  void run_at_turn_end() override;
  void on_deadline() override;

  loop::Loop& loop_;
  loop::Poller& poller_;
  base::Deadlines& deadlines_;
  base::Scheduler& scheduler_;
  ClientOptions options_;
  ClientStats stats_;
  std::deque<std::int64_t> left_lookups_;  // when each is taken for ended, in order
  base::Deadline lookup_end_;              // of the first of these
  std::unique_ptr<MultiHandle> multi_;     // null before the first request
  // Every transfer is in one of these.
  Transfers idle_;
  Transfers waiting_;
  Transfers running_;
  Transfers finished_;
};

}  // namespace roomcast::fetch
