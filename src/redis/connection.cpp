#include "redis/connection.h"

#include <algorithm>
#include <utility>

namespace roomcast::redis {

Connection::Connection(const Parts& parts, Options options, Owner& owner)
    : parts_(parts),
      options_(std::move(options)),
      owner_(owner),
      next_wait_ms_(options_.wait_ms),
      due_(parts.deadlines, *this) {
  options_.handshake.is_for_sentinel = options_.role == ServerRole::sentinel;
}

Connection::~Connection() = default;

void Connection::start() { connect(); }

void Connection::connect() {
  const ServerAddress& address = options_.address;
  attempt_ = parts_.dialer.dial({address.host, address.port, address.path}, options_.connect_ms, *this);
}

void Connection::on_dialled(std::unique_ptr<net::ByteStream> stream) {
  attempt_.reset();
  if (options_.address.scheme == ServerAddress::Scheme::tls)
    stream = net::make_tls_client(*parts_.tls, *parts_.tls_context, std::move(stream),
                                  options_.tls_name.empty() ? options_.address.host : options_.tls_name);
  Link::Owner& owner = *this;
  link_ = std::make_unique<Link>(Link::Parts{parts_.clock, parts_.scheduler, parts_.deadlines},
                                 options_.limits, std::move(stream), owner);
  due_.set_in(options_.connect_ms);
  Handshake::Listener& listener = *this;
  handshake_.emplace(*link_, options_.handshake, listener);
}

void Connection::on_dial_failed(std::string_view why) {
  const std::string copy(why);  // of the attempt
  attempt_.reset();
  try_later(copy);
}

void Connection::on_handshake(base::Result<ServerInfo>&& outcome) {
  std::string why = outcome ? why_unusable(*outcome, options_.role) : outcome.error().message;
  if (!why.empty()) return restart(why);
  due_.clear();
  is_up_ = true;
  up_since_ms_ = parts_.clock.monotonic_ms();
  owner_.on_connected(*this, *outcome);
}

void Connection::on_push(Link& /*link*/, const Value& value) {
  if (is_up_) owner_.on_push(*this, value);
}

void Connection::on_link_down(Link& /*link*/, std::string_view why) {
  const std::string copy(why);  // it may be the link's
  drop_link();
  try_later(copy);
}

void Connection::restart(std::string_view why) {
  if (link_ != nullptr) link_->end(why);
}

void Connection::stop(std::string_view why) {
  if (std::exchange(is_stopped_, true)) return;
  due_.clear();
  attempt_.reset();
  if (link_ != nullptr) link_->end(why);
}

/// The link may be on the stack.
void Connection::drop_link() {
  const bool was_of_use = is_up_ && parts_.clock.monotonic_ms() - up_since_ms_ >= options_.wait_max_ms;
  if (was_of_use) next_wait_ms_ = options_.wait_ms;
  is_up_ = false;
  if (link_ == nullptr) return;
  link_->close();
  parts_.scheduler.free_later(std::move(link_));
}

void Connection::try_later(std::string_view why) {
  handshake_.reset();
  if (!is_stopped_) due_.set_in(next_wait_ms_);
  next_wait_ms_ = std::min(2 * next_wait_ms_, options_.wait_max_ms);
  owner_.on_disconnected(*this, options_.address.to_text() + ": " + std::string(why));
}

void Connection::on_deadline() {
  if (link_ != nullptr) return restart("no answer to the handshake in time");
  connect();
}

}  // namespace roomcast::redis
