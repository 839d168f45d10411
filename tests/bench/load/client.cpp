#include "load/client.h"

#include <utility>

#include "load/client_share.h"
#include "load/http_answer.h"
#include "load/server_frame.h"

namespace roomcast::bench {

static_assert(sizeof(Client) <= 96, "a million of them is meant to fit");

void Client::belong_to(ClientShare& share, std::uint32_t index) {
  share_ = &share;
  index_ = index;
}

void Client::open() {
  link_.open(share_->target, share_->tls.get());
  state_ = State::connecting;
  share_->poller.watch(link_.descriptor(), *this);
}

void Client::on_ready(std::uint32_t events) {
  constexpr std::uint32_t hangs_up = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  const std::uint8_t life = life_;
  if (state_ == State::idle) return;
  link_.refresh();
  if (state_ == State::connecting) go_on_connecting();
  if (life_ != life || state_ == State::connecting) return;
  if ((events & EPOLLOUT) != 0 && unsent_) flush();
  if ((events & (EPOLLIN | hangs_up)) != 0 && reading_) read((events & hangs_up) != 0);
}

void Client::go_on_connecting() {
  const Moved moved = link_.connect();
  if (moved == Moved::again) return;
  if (moved != Moved::some) return lose("while connecting: " + link_.why());
  state_ = State::handshake;
  request();
}

void Client::request() {
  const Target& target = share_->target;
  const std::string host = target.host + ":" + std::to_string(target.port);
  in_body_ = false;
  write(make_request(share_->kind, host, share_->path(index_), cursor_ ? *cursor_ : std::string_view{}));
}

void Client::send(std::span<const std::string_view> messages) {
  if (state_ != State::open) return;
  std::string& out = share_->outgoing;
  out.clear();
  for (const std::string_view message : messages) {
    if (share_->kind.dialect == Dialect::json) {
      append_client_frame(out, Opcode::text, message, R"({"type":"publish","data":)", "}");
    } else {
      append_client_frame(out, Opcode::text, message);
    }
  }
  write(out);
}

void Client::send_control(Opcode opcode, std::string_view payload) {
  share_->outgoing.clear();
  append_client_frame(share_->outgoing, opcode, payload);
  write(share_->outgoing);
}

void Client::ping() {
  if (state_ == State::open) send_control(Opcode::ping, {});
}

void Client::write(std::string_view bytes) {
  if (unsent_) {
    unsent_->append(bytes);
    return;
  }
  while (!bytes.empty()) {
    const Move move = link_.write(bytes);
    if (move.how == Moved::again) {
      unsent_ = std::make_unique<std::string>(bytes);
      return;
    }
    // The poller reports a broken connection as well, outside of the caller's work.
    if (move.how != Moved::some) return;
    bytes.remove_prefix(move.bytes);
  }
}

void Client::flush() {
  const std::unique_ptr<std::string> unsent = std::move(unsent_);
  write(*unsent);
}

void Client::stop_reading() {
  if (!reading_ || state_ == State::idle) return;
  reading_ = false;
  share_->poller.hear_reads(link_.descriptor(), *this, false);
}

void Client::resume_reading() {
  if (reading_) return;
  reading_ = true;
  share_->poller.hear_reads(link_.descriptor(), *this, true);
}

void Client::close() {
  if (state_ == State::idle || state_ == State::closing) return;
  if (state_ != State::open || share_->kind.way != Way::websocket) return hang_up();
  state_ = State::closing;
  constexpr std::string_view normal("\x03\xe8", 2);
  send_control(Opcode::close, normal);
}

void Client::hang_up() {
  if (state_ != State::idle) end(Ended::by_us);
}

void Client::cut() {
  if (state_ == State::idle) return;
  link_.reset();
  end(Ended::by_us);
}

void Client::lose(std::string_view complaint) {
  if (state_ == State::closing && close_answered_) return end(Ended::by_us);
  complain(complaint);
  end(was_open() ? Ended::cut : Ended::refused);
}

void Client::end(Ended ended) {
  const bool was_open = this->was_open();
  link_.close();
  partial_.reset();
  unsent_.reset();
  cursor_.reset();
  state_ = State::idle;
  in_body_ = false;
  reading_ = true;
  close_answered_ = false;
  ++life_;
  share_->events.on_closed(*this, ended, was_open);
}

void Client::complain(std::string_view complaint) {
  if (share_->complaint.empty()) share_->complaint = complaint;
}

}  // namespace roomcast::bench
