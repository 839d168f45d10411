// How a client takes what comes in: bytes, HTTP, and then frames, events, lines or polls.

#include <utility>

#include "load/client.h"
#include "load/client_share.h"
#include "load/event_text.h"
#include "load/http_answer.h"
#include "load/poll_answer.h"
#include "load/server_frame.h"

namespace roomcast::bench {

void Client::read(bool has_hung_up) {
  const std::uint8_t life = life_;
  std::vector<char>& room = share_->incoming;
  while (reading_) {
    const Move move = link_.read(room);
    if (move.how == Moved::again) {
      // TLS stops at what had come; the end may be behind it.
      if (!std::exchange(has_hung_up, false)) return;
      link_.refresh();
      continue;
    }
    if (move.how == Moved::ended) return lose("the server ended the connection");
    if (move.how == Moved::failed) return lose("while reading: " + link_.why());
    take_in({room.data(), move.bytes});
    if (life_ != life) return;
    // A plain socket that gave less than asked for is empty; one more read to hear so would be half the cost.
    if (link_.is_plain() && move.bytes < room.size() && !has_hung_up) return;
  }
}

void Client::take_in(std::string_view bytes) {
  if (in_body_) return take_body(bytes);
  if (!partial_) return take_head(bytes);
  const std::unique_ptr<std::string> head = std::move(partial_);
  head->append(bytes);
  take_head(*head);
}

void Client::take_head(std::string_view bytes) {
  const std::uint8_t life = life_;
  const HttpAnswer answer = take_answer_head(bytes);
  if (answer.used == 0) {
    if (bytes.size() > max_answer_head_bytes) return lose("an answer's head without end");
    partial_ = std::make_unique<std::string>(bytes);
    return;
  }
  if (!is_agreed(share_->kind, answer)) return lose(answer.status_line);
  in_body_ = true;
  body_ = share_->kind.way == Way::websocket ? HttpBody() : answer.body;
  if (share_->kind.way != Way::long_poll) {
    state_ = State::open;
    share_->events.on_open(*this);
  }
  if (life_ == life && answer.used < bytes.size()) take_body(bytes.substr(answer.used));
}

void Client::take_body(std::string_view bytes) {
  const std::uint8_t life = life_;
  while (!bytes.empty()) {
    const HttpBody::Piece piece = body_.take(bytes);
    bytes.remove_prefix(piece.used);
    if (piece.bad) return lose("an answer that is not chunked as it should be");
    if (share_->kind.way == Way::long_poll) {
      if (!take_poll_part(piece)) return;
    } else {
      if (!piece.content.empty()) take_content(piece.content);
      if (life_ == life && piece.over) lose("the server ended the answer");
    }
    if (life_ != life) return;
  }
}

bool Client::take_poll_part(const HttpBody::Piece& piece) {
  if (!piece.over) {
    if (!partial_) partial_ = std::make_unique<std::string>();
    partial_->append(piece.content);
    return true;
  }
  if (!partial_) {
    on_poll_answer(piece.content);
    return false;
  }
  const std::unique_ptr<std::string> body = std::move(partial_);
  body->append(piece.content);
  on_poll_answer(*body);
  return false;
}

void Client::on_poll_answer(std::string_view body) {
  const std::uint8_t life = life_;
  PollAnswer answer(body);
  if (!answer.is_good()) return lose("a poll's answer that is none");
  const bool is_first = !cursor_;
  cursor_ = std::make_unique<std::string>(answer.cursor());
  // Before the messages are reported, so that the answers to them find the poll waiting.
  request();
  if (is_first) {
    state_ = State::open;
    return share_->events.on_open(*this);
  }
  for (std::string_view message = answer.next(); !message.empty(); message = answer.next()) {
    on_message(read_stamp(message, share_->stamp_place));
    if (life_ != life) return;
  }
}

void Client::take_content(std::string_view content) {
  const std::uint8_t life = life_;
  if (partial_) partial_->append(content);
  const std::string_view bytes = partial_ ? *partial_ : content;
  const std::size_t used = take_whole(bytes);
  if (life_ != life) return;
  if (used == bytes.size()) {
    partial_.reset();
  } else if (partial_) {
    partial_->erase(0, used);
  } else {
    partial_ = std::make_unique<std::string>(bytes.substr(used));
  }
}

std::size_t Client::take_whole(std::string_view bytes) {
  const std::uint8_t life = life_;
  std::size_t used = 0;
  while (used < bytes.size() && life_ == life) {
    const std::string_view rest = bytes.substr(used);
    std::size_t more = 0;
    switch (share_->kind.way) {
      case Way::websocket:
        more = take_frame(rest);
        break;
      case Way::event_stream:
        more = take_event(rest);
        break;
      case Way::ndjson:
        more = take_line(rest);
        break;
      case Way::long_poll:
        break;
    }
    if (more == 0) break;
    used += more;
  }
  return used;
}

std::size_t Client::take_frame(std::string_view bytes) {
  const ServerFrame frame = take_server_frame(bytes, share_->kind.deflate);
  if (frame.front == Front::bad) lose("a frame that a server must not send");
  if (frame.front != Front::whole) return 0;
  switch (frame.opcode) {
    case Opcode::ping:
      send_control(Opcode::pong, frame.payload);
      break;
    case Opcode::pong:
      share_->events.on_pong(*this);
      break;
    case Opcode::close:
      on_close_frame(frame.payload);
      break;
    default:
      if (frame.compressed) {
        on_compressed(frame.payload);
      } else if (share_->kind.dialect == Dialect::json) {
        on_envelope(frame.payload);
      } else {
        on_message(read_stamp(frame.payload, share_->stamp_place));
      }
  }
  return frame.used;
}

std::size_t Client::take_event(std::string_view bytes) {
  const TextItem event = bench::take_event(bytes);
  if (event.used == 0 || !event.is_event) return event.used;
  if (share_->kind.dialect == Dialect::json) {
    on_envelope(event.text);
  } else {
    on_message(read_stamp(event.text, share_->stamp_place));
  }
  return event.used;
}

std::size_t Client::take_line(std::string_view bytes) {
  const TextItem line = bench::take_line(bytes);
  if (!line.text.empty()) on_envelope(line.text);
  return line.used;
}

void Client::on_message(const std::optional<Stamp>& stamp) {
  if (state_ == State::open) share_->events.on_message(*this, stamp);
}

void Client::on_compressed(std::string_view payload) {
  const std::optional<Stamp> stamp = share_->compressed->read(payload);
  // The greeting of roomcast.v1 is long enough to come compressed.
  if (stamp || share_->kind.dialect == Dialect::raw) on_message(stamp);
}

void Client::on_envelope(std::string_view envelope) {
  if (is_of_type(envelope, "message")) return on_message(read_stamp(envelope, share_->stamp_place));
  const bool is_bad =
      is_of_type(envelope, "error") || is_of_type(envelope, "gap") || is_of_type(envelope, "bye");
  if (is_bad) lose(envelope);
}

void Client::on_close_frame(std::string_view payload) {
  if (state_ == State::closing) {
    close_answered_ = true;  // the server is to end the TCP connection
    return;
  }
  send_control(Opcode::close, payload.substr(0, 2));
  std::string complaint = "closed by the server";
  if (payload.size() >= 2) {
    const unsigned high = static_cast<unsigned char>(payload[0]);
    const unsigned low = static_cast<unsigned char>(payload[1]);
    complaint.append(" with ").append(std::to_string(high << 8 | low)).append(" ").append(payload.substr(2));
  }
  lose(complaint);
}

}  // namespace roomcast::bench
