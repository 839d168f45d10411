#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "session/transport.h"

namespace roomcast::test {

/// `(t:payload)` for text, `(b:payload)` for binary, `(event:payload)` for events.
class BracketFraming final : public session::Framing {
 public:
  std::size_t frame(const session::OutgoingPayload& payload, std::string& out) const override {
    out += '(';
    out += !payload.event.empty() ? payload.event : payload.form == dialect::PayloadForm::text ? "t" : "b";
    out += ':';
    out += payload.bytes;
    out += ')';
    return 0;
  }
  [[nodiscard]] bool names_events() const override { return named_events; }

  bool named_events = false;
};

/// A client whose wire is a string; what it is and was told outlives it.
class FakeTransport final : public session::Transport {
 public:
  struct Wire {
    std::string sent;
    std::vector<base::CloseReason> closes;
    session::TransportEvents* events = nullptr;
    std::size_t queued = 0;
    bool paused = false;
    bool wants_drained = false;
    bool aborted = false;
    bool destroyed = false;
  };

  FakeTransport(Wire& wire, const session::Framing& framing) : wire_(wire), framing_(framing) {}
  ~FakeTransport() override { wire_.destroyed = true; }

  void start(session::TransportEvents& events) override { wire_.events = &events; }
  [[nodiscard]] const session::Framing& framing() const override { return framing_; }
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  void send(const base::Bytes& wire) override { wire_.sent += wire.view(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return wire_.queued; }
  void notify_when_drained() override { wire_.wants_drained = true; }
  void pause() override { wire_.paused = true; }
  void resume() override { wire_.paused = false; }
  void close(base::CloseReason reason, std::string_view text) override {
    wire_.closes.push_back(reason);
    wire_.events->on_closing(reason, text);
  }
  void abort() override { wire_.aborted = true; }
  void shed() override { close(base::CloseReason::slow_consumer, {}); }
  [[nodiscard]] std::string_view peer_address() const override { return "192.0.2.1"; }
  [[nodiscard]] session::Traffic traffic() const override { return {}; }
  [[nodiscard]] std::uint16_t close_code() const override { return 0; }

 private:
  Wire& wire_;
  const session::Framing& framing_;
};

}  // namespace roomcast::test
