#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadlines.h"
#include "base/linked_list.h"
#include "base/log.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "fetch/client.h"

namespace roomcast::auth {

struct JwksOptions {
  std::string url;  ///< http or https; its user information and query may be secret, and are not logged
  std::int64_t timeout_ms = 10'000;     ///< of one fetch
  std::size_t bytes_max = 262'144;      ///< of one key set
  std::int64_t wait_ms = 5'000;         ///< the longest that a waiter waits
  std::size_t waiters_max = 1'000;      ///< at a time
  std::int64_t on_request_ms = 60'000;  ///< between two fetches because of an unknown key
  std::int64_t default_age_s = 3'600;   ///< of a response that does not say how long it is fresh
  std::int64_t least_age_s = 60;        ///< bounds of what it says
  std::int64_t most_age_s = 24 * 60 * 60;
  std::int64_t least_retry_ms = 1'000;  ///< bounds of the pause after a failure
  std::int64_t most_retry_ms = 60'000;
};

struct JwksStats {
  std::uint64_t refreshed = 0;
  std::uint64_t failed = 0;
  std::size_t waiting = 0;
  std::size_t failures_in_a_row = 0;
  /// On the monotonic clock; nothing before the first success.
  std::optional<std::int64_t> refreshed_at_ms;
};

/// Keeps a JSON Web Key Set (RFC 7517 section 5) of a URL up to date: fetches it at the start, again when 80
/// % of its freshness has passed, and when a token names an unknown key, at most once a minute. While the URL
/// fails the last set remains in use, however old; the next try follows after an increasing, random pause.
class JwksSource final : private fetch::Transfer::Listener,
                         private base::TurnTask,
                         private base::Deadline::Listener {
 public:
  /// Takes a fetched document into use, or says why it can't be; then the previous one remains.
  using Take = std::function<std::optional<base::Error>(std::string_view jwks)>;

  /// A place among those that wait for a refresh. Destroying it leaves the place. May outlive the source, and
  /// then is not called.
  class Waiter final : private base::Linked<Waiter>, private base::Deadline::Listener {
   public:
    class Listener {
     public:
      /// The refresh has succeeded, has failed or takes too long: what is current now is all there is. The
      /// waiter may be destroyed from here, but not the source.
      virtual void on_refreshed() = 0;

     protected:
      ~Listener() = default;
    };
    Waiter(JwksSource& source, Listener& listener);
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() { leave(); }

    [[nodiscard]] bool is_waiting() const { return source_ != nullptr; }

   private:
    friend class JwksSource;
    template <class Item, class Tag>
    friend class base::LinkedList;
    void on_deadline() override;
    void leave();

    JwksSource* source_ = nullptr;  // null: it does not wait
    Waiter::Listener& listener_;
    base::Deadline deadline_;
  };

  /// All arguments but the options and `take` outlive the source.
  JwksSource(fetch::Client& client, base::Deadlines& deadlines, base::Scheduler& scheduler, base::Log& log,
             JwksOptions options, Take take);
  JwksSource(const JwksSource&) = delete;
  JwksSource& operator=(const JwksSource&) = delete;
  ~JwksSource();

  /// Begins the first fetch.
  void start();
  /// Ends fetching until the next start. Waiters are called at the end of the turn.
  void stop();

  /// To be called for a token whose key is not in the current set. True: `waiter` is called once, later.
  /// False: there will be no other set soon, because one was fetched for the same reason within the last
  /// minute, too many wait or the source is stopped; decide with the current set.
  [[nodiscard]] bool request_refresh(Waiter& waiter);

  [[nodiscard]] const JwksStats& stats() const { return stats_; }

 private:
  using Waiters = base::LinkedList<Waiter, Waiter>;

  void refresh();
  void on_fetched(base::Result<fetch::Response, fetch::Failure> result) override;
  void on_deadline() override { refresh(); }
  void run_at_turn_end() override;
  [[nodiscard]] std::optional<base::Error> take_result(
      const base::Result<fetch::Response, fetch::Failure>& result);
  void note_success(std::optional<std::int64_t> max_age_s);
  void note_failure(const std::string& why);
  void answer_waiters();
  [[nodiscard]] std::int64_t pause_ms() const;

  base::Deadlines& deadlines_;
  base::Scheduler& scheduler_;
  base::Log& log_;
  JwksOptions options_;
  Take take_;
  JwksStats stats_;
  fetch::Transfer transfer_;
  base::Deadline next_;  // the next refresh or retry
  bool is_started_ = false;
  std::optional<std::int64_t> requested_at_ms_;  // the last fetch because of an unknown key
  std::optional<std::int64_t> warned_at_ms_;
  bool is_warned_ = false;  // of failures that go on
  Waiters waiting_;
  Waiters answered_;  // to be called
};

/// A JwksSource with the set that its documents were parsed to.
template <class KeySet>
class JwksKeys {
 public:
  using Parse = std::function<base::Result<KeySet>(std::string_view jwks)>;

  JwksKeys(fetch::Client& client, base::Deadlines& deadlines, base::Scheduler& scheduler, base::Log& log,
           JwksOptions options, Parse parse)
      : parse_(std::move(parse)),
        source_(client, deadlines, scheduler, log, std::move(options),
                [this](std::string_view jwks) { return take(jwks); }) {}
  JwksKeys(const JwksKeys&) = delete;
  JwksKeys& operator=(const JwksKeys&) = delete;
  ~JwksKeys() = default;

  /// The last set that was fetched and parsed, or null. Valid until the end of the turn at most: not to be
  /// kept.
  [[nodiscard]] const KeySet* current() const { return current_ ? &*current_ : nullptr; }
  [[nodiscard]] JwksSource& source() { return source_; }

 private:
  std::optional<base::Error> take(std::string_view jwks) {
    base::Result<KeySet> parsed = parse_(jwks);
    if (!parsed) return std::move(parsed.error());
    current_.emplace(std::move(*parsed));
    return std::nullopt;
  }

  Parse parse_;
  std::optional<KeySet> current_;
  JwksSource source_;
};

}  // namespace roomcast::auth
