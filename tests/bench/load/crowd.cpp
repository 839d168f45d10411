#include "load/crowd.h"

#include <utility>

#include "load/client_share.h"

namespace roomcast::bench {

namespace {

// Large enough for all that a turn brings one client, small enough to stay in the cache.
constexpr std::size_t incoming_bytes = std::size_t{64} << 10;

}  // namespace

Crowd::Crowd(Poller& poller, const Target& target, CrowdSettings settings, CrowdListener& listener)
    : poller_(poller),
      listener_(listener),
      at_once_(settings.at_once),
      clients_(std::make_unique<Client[]>(settings.clients)),
      size_(settings.clients) {
  ClientEvents& events = *this;
  share_ = std::unique_ptr<ClientShare>(
      new ClientShare{poller, events, target, settings.kind, std::move(settings.path), nullptr});
  if (target.tls) share_->tls = std::make_unique<TlsClient>(settings.resume_tls);
  if (settings.kind.deflate) share_->compressed = std::make_unique<CompressedStamps>();
  share_->incoming.resize(incoming_bytes);
  for (std::size_t i = 0; i < size_; ++i)
    clients_[i].belong_to(*share_, static_cast<std::uint32_t>(i));
  poller_.make_room_for(size_);
}

Crowd::~Crowd() {
  clients_.reset();
  poller_.give_back(size_);
}

void Crowd::start_first(std::size_t count) {
  std::vector<bool> is_waiting(size_);
  for (const std::uint32_t index : waiting_)
    is_waiting[index] = true;
  for (std::size_t i = count; i-- > 0;) {
    if (clients_[i].state() == Client::State::idle && !is_waiting[i]) {
      waiting_.push_back(static_cast<std::uint32_t>(i));
    }
  }
  start_waiting();
}

void Crowd::start(std::size_t index) {
  waiting_.push_back(static_cast<std::uint32_t>(index));
  start_waiting();
}

void Crowd::start_waiting() {
  while (handshakes_ < at_once_ && !waiting_.empty()) {
    Client& client = clients_[waiting_.back()];
    waiting_.pop_back();
    ++handshakes_;
    listener_.on_start(client);
    client.open();
  }
}

void Crowd::cut_all() {
  waiting_.clear();
  for (std::size_t i = 0; i < size_; ++i)
    clients_[i].cut();
}

const std::string& Crowd::first_complaint() const { return share_->complaint; }

void Crowd::on_open(Client& client) {
  --handshakes_;
  ++open_;
  ++opened_;
  listener_.on_open(client);
  start_waiting();
}

void Crowd::on_message(Client& client, const std::optional<Stamp>& stamp) {
  listener_.on_message(client, stamp);
}

void Crowd::on_pong(Client& client) { listener_.on_pong(client); }

void Crowd::on_closed(Client& client, Ended ended, bool was_open) {
  --(was_open ? open_ : handshakes_);
  if (ended == Ended::refused) ++refused_;
  if (ended == Ended::cut) ++cut_;
  listener_.on_closed(client, ended);
  start_waiting();
}

}  // namespace roomcast::bench
