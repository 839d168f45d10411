// Everybody of a room vanishes and is back at the door at once. Do all get in, and does anybody else notice?

#include <string>

#include "load/clock.h"
#include "load/crowd.h"
#include "load/poller.h"
#include "scenario/audience.h"
#include "scenario/publisher.h"
#include "scenario/scenarios.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

constexpr const char* quiet_room = "/rooms/quiet";
constexpr std::int64_t message_interval_ns = 10'000'000;
constexpr std::int64_t quiet_ns = 2'000'000'000;
/// So many are cut, or start to connect, before the watchers are looked after again: about a millisecond.
constexpr std::size_t batch = 32;

/// The clients that come back, and how.
class Returners final : public CrowdListener {
 public:
  [[nodiscard]] std::uint64_t delayed() const { return delayed_; }

 private:
  void on_open(Client& client) override {
    if (client.resent() > 0) ++delayed_;
  }

  std::uint64_t delayed_ = 0;
};

class Storm {
 public:
  Storm(const Target& target, const StormSettings& settings)
      : stage_(target, settings.common),
        watchers_(settings.watchers),
        watcher_crowd_(watch_poller_, target,
                       {.kind = settings.common.kind,
                        .clients = settings.watchers,
                        .path = [](std::size_t) { return quiet_room; }},
                       watchers_),
        publisher_(watch_poller_, target, quiet_room, min_message_bytes),
        crowd_(poller_, target,
               {.kind = settings.common.kind,
                .clients = settings.clients,
                .path = [](std::size_t) { return "/rooms/bench"; }},
               returners_),
        at_once_crowd_(settings.clients) {
    poller_.put_first(watch_poller_);
  }

  Measurement run();

 private:
  bool gather();
  void cut();
  void come_back();
  /// Publishes when it is time, and sleeps until then at the longest when `may_sleep`.
  void turn(bool may_sleep);
  void run_until(const std::function<bool()>& done, std::int64_t deadline_ns);

  Stage stage_;
  Poller watch_poller_;
  Poller poller_;
  Audience watchers_;
  Crowd watcher_crowd_;
  Publisher publisher_;
  Returners returners_;
  Crowd crowd_;
  std::size_t at_once_crowd_;
  std::int64_t publish_next_ns_ = 0;
};

}  // namespace

}  // namespace roomcast::bench
