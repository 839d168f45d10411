#include "scenario/audience.h"

#include <algorithm>
#include <utility>

#include "load/clock.h"

namespace roomcast::bench {

namespace {

constexpr std::size_t sampled = 1000;

}  // namespace

Audience::Audience(std::size_t clients)
    : subscribers_(clients), sampled_each_(std::max<std::size_t>(1, clients / sampled)) {}

void Audience::expect_one_more() {
  ++published_;
  owed_ += creditors_;
}

void Audience::excuse(std::size_t index) {
  Subscriber& subscriber = subscribers_[index];
  if (subscriber.excused) return;
  if (subscriber.open) {
    owed_ -= owed_to(subscriber);
    --creditors_;
  }
  subscriber.excused = true;
}

Latency Audience::take_latency() { return std::exchange(latency_, Latency()); }

void Audience::enter(Measurement& measurement) const {
  measurement.operations += deliveries_;
  measurement.refused += refused_;
  Faults faults = faults_;
  for (const Subscriber& subscriber : subscribers_) {
    if (!subscriber.excused) subscriber.tally.finish(published_, faults);
  }
  measurement.faults.lost += faults.lost;
  measurement.faults.repeated += faults.repeated;
  measurement.faults.unstamped += faults.unstamped;
}

void Audience::on_open(Client& client) {
  Subscriber& subscriber = subscribers_[client.index()];
  subscriber.open = true;
  if (!subscriber.excused) ++creditors_;
}

void Audience::on_message(Client& client, const std::optional<Stamp>& stamp) {
  Subscriber& subscriber = subscribers_[client.index()];
  if (subscriber.excused) return;
  if (!stamp) {
    ++faults_.unstamped;
    return;
  }
  const std::uint64_t owed_before = owed_to(subscriber);
  subscriber.tally.note(*stamp, faults_);
  owed_ -= owed_before - owed_to(subscriber);
  ++deliveries_;
  if (client.index() % sampled_each_ == 0) latency_.add(now_ns() - stamp->sent_ns);
}

void Audience::on_closed(Client& client, Ended ended) {
  Subscriber& subscriber = subscribers_[client.index()];
  const bool was_open = std::exchange(subscriber.open, false);
  if (subscriber.excused) {
    if (ended == Ended::cut) ++excused_cut_;
    return;
  }
  if (ended != Ended::by_us) ++refused_;
  if (!was_open) return;
  owed_ -= owed_to(subscriber);
  --creditors_;
}

std::uint64_t Audience::owed_to(const Subscriber& subscriber) const {
  const std::uint32_t next = subscriber.tally.next(0);
  return published_ > next ? published_ - next : 0;
}

}  // namespace roomcast::bench
