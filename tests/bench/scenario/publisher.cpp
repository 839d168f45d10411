#include "scenario/publisher.h"

#include <utility>

#include "load/clock.h"

namespace roomcast::bench {

Publisher::Publisher(Poller& poller, const Target& target, std::string path, std::size_t message_bytes)
    : poller_(poller),
      message_(make_message(message_bytes)),
      crowd_(poller, target,
             {.kind = {}, .clients = 1, .path = [path = std::move(path)](std::size_t) { return path; }},
             *this) {}

void Publisher::publish() {
  stamp_.sent_ns = now_ns();
  write_stamp(message_, stamp_);
  ++stamp_.number;
  crowd_[0].send(message_);
}

bool Publisher::wait_for_pong(std::int64_t deadline_ns) {
  pong_ = false;
  crowd_[0].ping();
  poller_.run_until([this] { return pong_ || !is_open(); }, deadline_ns);
  return pong_;
}

void Publisher::on_pong(Client& /*client*/) { pong_ = true; }

}  // namespace roomcast::bench
