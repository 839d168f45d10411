#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/admission.h"
#include "session/transport.h"
#include "transport/client.h"

namespace roomcast::test {

/// `t5:hello` for five bytes of text, `b` for binary: each payload can be read back.
class RecordFraming final : public session::Framing {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override {
    out += payload.form == dialect::PayloadForm::text ? 't' : 'b';
    out += std::to_string(payload.bytes.size());
    out += ':';
    out += payload.bytes;
    return 0;
  }
  [[nodiscard]] bool unframe(std::string_view wire, dialect::PayloadWriter& out) const override {
    while (!wire.empty()) {
      const auto form = wire[0] == 't' ? dialect::PayloadForm::text : dialect::PayloadForm::binary;
      const std::size_t colon = wire.find(':');
      std::size_t size = 0;
      std::from_chars(wire.data() + 1, wire.data() + colon, size);
      out.write(form, wire.substr(colon + 1, size));
      wire.remove_prefix(colon + 1 + size);
    }
    return true;
  }
  [[nodiscard]] bool names_events() const override { return false; }
};

struct PollingSettings {
  std::size_t queue_bytes = 1'000'000;
  std::int64_t idle_ms = 60'000;          ///< without a request
  std::int64_t close_timeout_ms = 5'000;  ///< for a request that takes the last bytes
};

/// A transport whose client comes for what is queued, as a long poll does: `take` is such a request. It can
/// be replaced between two of them.
class PollingTransport final : public session::Transport,
                               private base::Deadline::Listener,
                               private base::TurnTask {
 public:
  PollingTransport(base::Scheduler& scheduler, base::Deadlines& deadlines, const PollingSettings& settings,
                   const session::Framing& framing, net::Admission admission = {})
      : scheduler_(scheduler),
        settings_(settings),
        framing_(framing),
        client_(std::move(admission), "192.0.2.1"),
        deadline_(deadlines, *this) {}
  ~PollingTransport() override { scheduler_.forget(*this); }

  // What the client does.

  /// Takes what is queued.
  std::string take() {
    std::string taken;
    for (const base::Bytes& wire : queue_)
      taken += wire.view();
    queue_.clear();
    traffic_.bytes_out += taken.size();
    if (state_ == State::open) deadline_.set_in(settings_.idle_ms);
    scheduler_.mark_dirty(*this);
    return taken;
  }
  void say(std::string_view text) {
    if (paused_ || state_ != State::open) {
      unread_.emplace_back(text);
      return;
    }
    ++traffic_.messages_in;
    traffic_.bytes_in += text.size();
    events_->on_message(dialect::PayloadForm::text, text);
  }
  /// The client's connection breaks.
  void lose() {
    if (state_ == State::open) events_->on_closing(base::CloseReason::connection_lost, {});
    end(base::CloseReason::connection_lost);
  }

  // What the session calls.

  void start(session::TransportEvents& events) override {
    events_ = &events;
    deadline_.set_in(settings_.idle_ms);
  }
  [[nodiscard]] const session::Framing& framing() const override { return framing_; }
  [[nodiscard]] std::string_view name() const override { return "polling"; }
  void send(const base::Bytes& wire) override {
    if (state_ != State::open) return;
    queue_.push_back(wire);
    scheduler_.mark_dirty(*this);
  }
  [[nodiscard]] std::size_t queued_bytes() const override {
    std::size_t bytes = 0;
    for (const base::Bytes& wire : queue_)
      bytes += wire.size();
    return bytes;
  }
  void notify_when_drained() override {
    drained_wanted_ = true;
    if (queue_.empty()) scheduler_.mark_dirty(*this);
  }
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    if (!unread_.empty()) scheduler_.mark_dirty(*this);
  }
  void close(base::CloseReason reason, std::string_view text) override {
    if (state_ != State::open) return;
    reason_ = reason;
    if (reason == base::CloseReason::slow_consumer) queue_.clear();
    events_->on_closing(reason, text);
    state_ = State::closing;
    deadline_.set_in(settings_.close_timeout_ms);
    scheduler_.mark_dirty(*this);
  }
  void abort() override {
    state_ = State::closed;
    deadline_.clear();
  }
  [[nodiscard]] bool hand_over(std::vector<base::Bytes>& unsent) override {
    if (state_ != State::open || fails_to_hand_over) return false;
    unsent.insert(unsent.end(), std::move_iterator(queue_.begin()), std::move_iterator(queue_.end()));
    queue_.clear();
    abort();
    return true;
  }
  void shed() override { close(base::CloseReason::slow_consumer, {}); }
  [[nodiscard]] std::string_view peer_address() const override { return client_.address(); }
  [[nodiscard]] session::Traffic traffic() const override { return traffic_; }
  [[nodiscard]] std::uint16_t close_code() const override { return 0; }

  bool fails_to_hand_over = false;

 private:
  enum class State : std::uint8_t { open, closing, closed };

  void on_deadline() override {
    if (state_ == State::open) return lose();
    end(reason_);
  }
  void run_at_turn_end() override {
    if (state_ == State::closed) return;
    client_.hold(queued_bytes() + events_->held_bytes(), *this);
    if (state_ == State::closing) {
      if (queue_.empty()) end(reason_);
      return;
    }
    if (queued_bytes() > settings_.queue_bytes) return close(base::CloseReason::slow_consumer, {});
    if (queued_bytes() > settings_.queue_bytes / 4) events_->on_congested();
    std::vector<std::string> unread;
    if (!paused_) unread.swap(unread_);
    for (const std::string& text : unread)
      say(text);
    if (queue_.empty() && std::exchange(drained_wanted_, false)) events_->on_drained();
  }
  void end(base::CloseReason reason) {
    if (state_ == State::closed) return;
    abort();
    events_->on_closed(reason);
  }

  base::Scheduler& scheduler_;
  PollingSettings settings_;
  const session::Framing& framing_;
  transport::Client client_;
  session::TransportEvents* events_ = nullptr;
  std::vector<base::Bytes> queue_;
  std::vector<std::string> unread_;
  session::Traffic traffic_;
  State state_ = State::open;
  bool paused_ = false;
  bool drained_wanted_ = false;
  base::CloseReason reason_ = base::CloseReason::connection_lost;
  base::Deadline deadline_;
};

}  // namespace roomcast::test
