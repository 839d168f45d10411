#include "attack/innocents.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "attack/attack_bytes.h"
#include "load/clock.h"
#include "load/http_answer.h"

namespace roomcast::bench {

namespace {

constexpr std::int64_t check_interval_ns = 5 * ms_ns;
constexpr std::int64_t message_interval_ns = 20 * ms_ns;
constexpr std::int64_t come_back_ns = 50 * ms_ns;
constexpr std::size_t publisher = 0;

void note(Experience& experience, const std::string& what) {
  ++experience.harmed;
  if (experience.complaint.empty()) experience.complaint = what;
}

}  // namespace

HealthChecks::HealthChecks(Poller& poller, const Target& target, bool fresh_connections)
    : poller_(poller), target_(target), fresh_connections_(fresh_connections) {
  if (target.tls) tls_ = std::make_unique<TlsClient>(false);
  begin(now_ns());
}

void HealthChecks::begin(std::int64_t now) {
  experience_ = {};
  due_ns_ = now;
}

void HealthChecks::stop() { asks_ = false; }

std::int64_t HealthChecks::next_ns() const {
  return waits() || !asks_ ? never_ns : std::max(due_ns_, not_before_ns_);
}

void HealthChecks::act(std::int64_t now) {
  if (now < next_ns()) return;
  if (state_ == State::idle) return send();
  link_.open(target_, tls_.get());
  state_ = State::connecting;
  poller_.watch(link_.descriptor(), *this);
}

void HealthChecks::on_ready(std::uint32_t /*events*/) {
  if (state_ == State::closed) return;
  link_.refresh();
  if (state_ == State::connecting) {
    const Moved moved = link_.connect();
    if (moved == Moved::again) return;
    if (moved != Moved::some) return harm("healthz: no connection: " + link_.why());
    send();
  }
  if (state_ != State::closed) read();
}

void HealthChecks::send() {
  state_ = State::asked;
  head_.clear();
  body_.reset();
  const std::string request = bare_request("GET", "/healthz");
  const Move move = link_.write(request);
  if (move.how != Moved::some || move.bytes != request.size()) harm("healthz: the connection was ended");
}

void HealthChecks::read() {
  for (;;) {
    std::array<char, 16384> room{};
    const Move move = link_.read(room);
    if (move.how == Moved::again) return;
    if (move.how != Moved::some) return harm("healthz: the connection was ended");
    take({room.data(), move.bytes});
    if (state_ == State::closed) return;
  }
}

void HealthChecks::take(std::string_view bytes) {
  if (!body_) {
    head_.append(bytes);
    const HttpAnswer head = take_answer_head(head_);
    if (head.used == 0) return;
    status_ = head.status;
    body_ = head.body;
    if (body_->is_over()) return answered(status_);
    bytes = std::string_view(head_).substr(head.used);
  }
  while (!bytes.empty()) {
    const HttpBody::Piece piece = body_->take(bytes);
    bytes.remove_prefix(piece.used);
    if (piece.bad) return harm("healthz: a broken answer");
    if (piece.over) return answered(status_);
  }
}

void HealthChecks::answered(int status) {
  constexpr int ok = 200;
  if (status != ok) return harm("healthz: status " + std::to_string(status));
  due_ns_ = add_all_due(experience_.latency, now_ns());
  state_ = State::idle;
  if (!fresh_connections_) return;
  link_.reset();
  state_ = State::closed;
}

void HealthChecks::harm(const std::string& what) {
  note(experience_, what);
  link_.reset();
  state_ = State::closed;
  not_before_ns_ = now_ns() + come_back_ns;
}

std::int64_t HealthChecks::add_all_due(Latency& latency, std::int64_t now) const {
  std::int64_t due_ns = due_ns_;
  for (; due_ns <= now; due_ns += check_interval_ns)
    latency.add(now - due_ns);
  return due_ns;
}

Experience HealthChecks::experience(std::int64_t now) const {
  Experience experience = experience_;
  if (!waits()) return experience;
  (void)add_all_due(experience.latency, now);
  note(experience, "healthz: never answered");
  return experience;
}

RoomTalk::RoomTalk(Poller& poller, const Target& target)
    : message_(make_message(100)),
      crowd_(poller, target,
             {.kind = {},
              .clients = 2,
              .path =
                  [](std::size_t index) {
                    return index == publisher ? "/rooms/innocent?echo=0" : "/rooms/innocent";
                  }},
             *this) {
  crowd_.start_first(2);
}

void RoomTalk::begin(std::int64_t now) {
  experience_ = {};
  due_.clear();
  due_ns_ = now;
  talks_ = true;
}

void RoomTalk::stop() { talks_ = false; }

std::int64_t RoomTalk::next_ns() const {
  std::int64_t next = talks_ ? due_ns_ : never_ns;
  for (const auto& [index, when] : to_come_back_)
    next = std::min(next, when);
  return next;
}

void RoomTalk::act(std::int64_t now) {
  for (const auto& [index, when] : std::exchange(to_come_back_, {})) {
    if (when <= now) {
      crowd_.start(index);
    } else {
      to_come_back_.emplace_back(index, when);
    }
  }
  for (; talks_ && due_ns_ <= now; due_ns_ += message_interval_ns) {
    // Without either of the two no client can be kept waiting: that they are gone has been counted.
    if (!is_open()) continue;
    const Stamp stamp{0, number_++, due_ns_};
    write_stamp(message_, stamp);
    due_.push_back(stamp);
    crowd_[publisher].send(message_);
  }
}

void RoomTalk::on_message(Client& /*client*/, const std::optional<Stamp>& stamp) {
  if (!stamp) return;
  const auto found = std::find_if(due_.begin(), due_.end(),
                                  [&stamp](const Stamp& due) { return due.number == stamp->number; });
  if (found == due_.end()) return;
  experience_.latency.add(now_ns() - found->sent_ns);
  due_.erase(found);
}

void RoomTalk::on_closed(Client& client, Ended /*ended*/) {
  note(experience_, "delivery: a connection was ended: " + crowd_.first_complaint());
  // What was on its way is lost with the connection, which counts once.
  due_.clear();
  to_come_back_.emplace_back(client.index(), now_ns() + come_back_ns);
}

Experience RoomTalk::experience(std::int64_t now) const {
  Experience experience = experience_;
  for (const Stamp& stamp : due_) {
    experience.latency.add(now - stamp.sent_ns);
    note(experience, "delivery: a message never came");
  }
  return experience;
}

}  // namespace roomcast::bench
