#include "scenario/probes.h"

#include <string>

#include "load/clock.h"

namespace roomcast::bench {

namespace {}  // namespace

Probe::Probe(Poller& poller, const Target& target, const char* path)
    : crowd_(poller, target, {.kind = {}, .clients = 1, .path = [path](std::size_t) { return path; }},
             *this) {}

void Probe::begin(std::int64_t interval_ns) {
  interval_ns_ = interval_ns;
  due_ns_ = now_ns();
}

void Probe::ask_when_due() {
  if (waits_ || now_ns() < due_ns_) return;
  waits_ = true;
  ask(crowd_);
}

std::int64_t Probe::next_ns() const { return waits_ ? never_ns : due_ns_; }

void Probe::answered_now() {
  if (!waits_) return;
  waits_ = false;
  latency_.add(now_ns() - due_ns_);
  due_ns_ += interval_ns_;
}

void Probe::on_closed(Client& /*client*/, Ended ended) {
  if (ended == Ended::by_us) return;
  waits_ = false;
  due_ns_ = never_ns;
}

EchoProbe::EchoProbe(Poller& poller, const Target& target, std::size_t message_bytes)
    : Probe(poller, target, "/echo"), message_(make_message(message_bytes)) {}

void EchoProbe::ask(Crowd& crowd) {
  ++stamp_.number;
  write_stamp(message_, stamp_);
  crowd[0].send(message_);
}

void EchoProbe::on_message(Client& /*client*/, const std::optional<Stamp>& stamp) {
  if (stamp && stamp->number == stamp_.number) answered_now();
}

PingProbe::PingProbe(Poller& poller, const Target& target) : Probe(poller, target, "/rooms/pinged") {}

void PingProbe::ask(Crowd& crowd) { crowd[0].ping(); }

void PingProbe::on_pong(Client& /*client*/) { answered_now(); }

ConnectProbe::ConnectProbe(Poller& poller, const Target& target) : Probe(poller, target, "/rooms/new") {}

void ConnectProbe::ask(Crowd& crowd) { crowd.start(0); }

void ConnectProbe::on_open(Client& client) {
  answered_now();
  client.hang_up();
}

}  // namespace roomcast::bench
