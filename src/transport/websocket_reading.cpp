// Reading from a WebSocket client: how much is handled at a time, and what is held for a later turn.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/work_allowance.h"
#include "transport/websocket.h"
#include "ws/fault.h"
#include "ws/frame_writer.h"

namespace roomcast::transport {

namespace {

base::CloseReason reason_for(ws::CloseCode code) {
  switch (code) {
    case ws::CloseCode::unsupported_data:
      return base::CloseReason::unsupported_data;
    case ws::CloseCode::invalid_data:
      return base::CloseReason::invalid_data;
    case ws::CloseCode::message_too_big:
      return base::CloseReason::message_too_big;
    case ws::CloseCode::internal_error:
      return base::CloseReason::internal_error;
    default:
      return base::CloseReason::protocol_error;
  }
}

}  // namespace

void WebSocket::on_bytes(std::span<char> bytes) {
  heard_ = true;
  if (held_) {
    held_->bytes.append(bytes.data(), bytes.size());
  } else if (was_costly_ && is_costly()) {
    // It is deferred, so that clients that cost less come first.
    hold(bytes, nullptr);
  } else {
    read(bytes, nullptr);
  }
}

void WebSocket::read(std::span<char> input, std::unique_ptr<Held> held) {
  const base::Scheduler& scheduler = shared_.scheduler;
  const std::uint32_t messages_before = messages_in_;
  base::WorkAllowance allowance = held ? scheduler.later_allowance() : scheduler.first_allowance();
  while (state_ == State::open || state_ == State::closing) {
    if (!input.empty() && (paused_ || allowance.is_used_up())) {
      hold(input, std::move(held));
      break;
    }
    const ws::ReaderEvent event = reader_.next(input, allowance);
    if (event.type == ws::ReaderEvent::Type::need_more) break;
    if (event.type == ws::ReaderEvent::Type::cut) {
      hold(input, std::move(held));
      break;
    }
    if (event.type == ws::ReaderEvent::Type::close && state_ == State::open &&
        (messages_in_ != messages_before || events_->awaits_own_messages())) {
      hold_close(event.code);
      break;
    }
    const std::size_t before = output_.bytes();
    on_event(event);
    // Replies count as work as well.
    if (output_.bytes() > before) allowance.spend(output_.bytes() - before);
  }
  if (allowance.was_costly()) note_costly();
  const bool is_unfinished = reader_.is_in_message() && reader_.begun_ms() == 0;
  if (is_unfinished) reader_.set_begun_ms(shared_.deadlines.now_ms());
  report_held_bytes();
}

void WebSocket::note_costly() {
  was_costly_ = true;
  costly_second_ = static_cast<std::uint8_t>(shared_.deadlines.now_ms() / 1024) & 3U;
}

bool WebSocket::is_costly() {
  const auto second = static_cast<unsigned>(shared_.deadlines.now_ms() / 1024);
  was_costly_ = ((second - costly_second_) & 3U) <= 1;
  return was_costly_;
}

void WebSocket::hold(std::span<char> rest, std::unique_ptr<Held> held) {
  if (held) {
    held->handled = held->bytes.size() - rest.size();
    held_ = std::move(held);
  } else {
    held_ = std::make_unique<Held>(*this, std::string(rest.data(), rest.size()));
  }
  stream_->pause_reading();
  if (!paused_) shared_.scheduler.mark_deferred(*held_);
}

/// Holds a close frame that follows messages of the same read until the end of the turn: their sender gets
/// them too.
void WebSocket::hold_close(ws::CloseCode code) {
  hold({}, nullptr);
  held_->close_code = static_cast<std::uint16_t>(code);
}

void WebSocket::read_held() {
  if (!held_ || paused_) return;
  heard_ = true;
  shared_.scheduler.forget(*held_);  // it may be called before its turn
  std::unique_ptr<Held> held = std::move(held_);
  if (!held->close_code && !held->is_end) {
    const std::span<char> input = std::span(held->bytes).subspan(held->handled);
    read(input, std::move(held));
    if (held_ || state_ == State::closed) return;
    if (!peer_ended_) {
      if (!paused_) stream_->resume_reading();
      return;
    }
    held = std::make_unique<Held>(*this, std::string());
  }
  if (postpone_end(held)) return;
  held_ = std::move(held);
  handle_held_end();
}

/// In a large room the delivery takes several turns; this is checked again after each write.
bool WebSocket::postpone_end(std::unique_ptr<Held>& held) {
  if (state_ != State::open || !events_->awaits_own_messages()) return false;
  if (!std::exchange(held->is_end, true)) deadline_.set_in(shared_.settings.close_timeout_ms);
  drained_wanted_ = true;
  held_ = std::move(held);
  return true;
}

void WebSocket::handle_held_end() {
  shared_.scheduler.forget(*held_);
  const std::unique_ptr<Held> held = std::move(held_);
  if (held->close_code) on_close_frame(*held->close_code);
  if (peer_ended_) return end_of_input();
  if (!paused_) stream_->resume_reading();
}

void WebSocket::drop_held() {
  if (held_) shared_.scheduler.forget(*held_);
  held_.reset();
}

void WebSocket::on_event(const ws::ReaderEvent& event) {
  using Type = ws::ReaderEvent::Type;
  switch (event.type) {
    case Type::text:
      return on_data(dialect::PayloadForm::text, event.payload);
    case Type::binary:
      return on_data(dialect::PayloadForm::binary, event.payload);
    case Type::ping: {
      if (state_ != State::open) return;
      std::string pong;
      ws::append_frame(pong, ws::Opcode::pong, event.payload);
      output_.push_urgent(base::Bytes::copy_of(pong), shared_.stats);
      return mark_dirty();
    }
    case Type::close:
      return on_close_frame(static_cast<std::uint16_t>(event.code));
    case Type::error:
      // RFC 6455 section 7.1.7: send the reason, then close without waiting for an answer.
      if (state_ == State::closing) {
        state_ = State::finishing;
        return mark_dirty();
      }
      return begin_closing(reason_for(event.code), events_->close_code(reason_for(event.code)), event.payload,
                           State::finishing);
    case Type::pong:
    case Type::cut:
    case Type::need_more:
      return;
  }
}

void WebSocket::on_data(dialect::PayloadForm form, std::string_view payload) {
  ++messages_in_;
  payload_bytes_in_ += payload.size();
  ++shared_.stats.messages_in;
  shared_.stats.payload_bytes_in += payload.size();
  if (state_ == State::open) events_->on_message(form, payload);
}

void WebSocket::on_close_frame(std::uint16_t code) {
  if (state_ != State::open && state_ != State::closing) return;
  if (state_ == State::closing) {
    // The answer to our close frame: both sides are done (RFC 6455 section 7.1.4).
    state_ = State::parting;
    return mark_dirty();
  }
  begin_closing(base::CloseReason::client_closed, code, {}, State::parting);
}

}  // namespace roomcast::transport
