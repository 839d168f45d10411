#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/hub_fixture.h"

// A room with a grace time of three seconds, a crowd from the fifth on, and clients that record what they
// receive.
namespace roomcast::test::presence {

/// "ada" of an anonymous client, "Ada=user:ada" of another.
inline std::string say(const hub::Author& author) {
  std::string out(author.name());
  if (!author.principal().empty()) out.append("=").append(author.principal());
  return out;
}

/// "3: ada bob +1", "3: crowd +1"
inline std::string say(const hub::PresenceSnapshot& snapshot) {
  std::string out = std::to_string(snapshot.count) + ':';
  if (!snapshot.members) out += " crowd";
  for (const hub::Author& member : snapshot.members.value_or(std::vector<hub::Author>{})) {
    out += ' ';
    out += say(member);
  }
  return out + " +" + std::to_string(snapshot.anonymous);
}

/// "+ada", "-ada", "#101", "[3: ada bob +1]"
inline std::string say(const hub::PresenceChange& change) {
  using What = hub::PresenceChange::What;
  if (change.what == What::joined) return '+' + say(change.member);
  if (change.what == What::left) return '-' + say(change.member);
  if (change.what == What::counted) return '#' + std::to_string(change.snapshot.count);
  return '[' + say(change.snapshot) + ']';
}

struct WordEncoder final : hub::Encoder {
  std::size_t encode(std::string_view /*room*/, const hub::Message& /*message*/,
                     std::string& /*out*/) const override {
    return 0;
  }
  void encode_presence(std::string_view room, const hub::PresenceChange& change,
                       std::string& out) const override {
    ++encoded;
    out += room;
    out += say(change);
  }
  mutable int encoded = 0;
};

struct Fixture;

/// One connection of a client.
struct Client final : hub::Subscriber {
  Client(Fixture& f, std::string_view name, bool watches, std::string_view room = "lobby");
  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override;
  void on_presence(hub::Membership& membership, hub::PresenceUpdate& news) override;
  void leave() { membership.reset(); }
  /// What it received since the last call.
  std::string told() { return std::exchange(heard, {}); }

  Fixture& fixture;
  std::string snapshot;  // at on_joined
  std::string heard;
  base::Bytes last;
  Client* drops = nullptr;  // leaves when this one gets its next update
  std::unique_ptr<hub::Membership> membership;
};

struct Fixture : test::HubFixture<> {
  static constexpr std::int64_t grace_ms = 3'000;
  static constexpr std::size_t crowd = 4;

  Fixture() { set_limits({grace_ms, crowd}); }

  void set_limits(const hub::PresenceLimits& presence) {
    hub.set_rules(hub::RoomRules({part::room_settings({}).history, presence}));
  }
  std::unique_ptr<Client> join(std::string_view name) { return std::make_unique<Client>(*this, name, false); }
  std::unique_ptr<Client> watch(std::string_view name = "") {
    auto client = std::make_unique<Client>(*this, name, true);
    turn();
    return client;
  }
  std::vector<std::unique_ptr<Client>> join_nameless(std::size_t count) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < count; ++i)
      clients.push_back(join(""));
    return clients;
  }
  [[nodiscard]] std::string here() const { return say(hub.presence("lobby")); }

  WordEncoder encoder;
};

inline Client::Client(Fixture& f, std::string_view name, bool watches, std::string_view room) : fixture(f) {
  hub::Interest interest;
  // "Ada=user:ada" is an identified client.
  const std::size_t end = name.find('=');
  interest.author = end == std::string_view::npos ? hub::Author(name)
                                                  : hub::Author(name.substr(0, end), name.substr(end + 1));
  interest.watch_presence = watches;
  membership = fixture.hub.subscribe(room, *this, interest);
}

inline void Client::on_joined(hub::Membership& m, const hub::Joined& /*joined*/) {
  snapshot = say(fixture.hub.presence(m.room_name()));
}

inline void Client::deliver(hub::Batch& batch, std::size_t from) {
  for (const hub::Message& message : batch.messages().subspan(from))
    heard += '"' + std::string(message.payload.view()) + '"';
}

inline void Client::on_presence(hub::Membership& m, hub::PresenceUpdate& news) {
  CHECK(&m == membership.get());
  heard += say(news.change());
  last = news.wire(fixture.encoder);
  if (drops != nullptr) std::exchange(drops, nullptr)->leave();
}

}  // namespace roomcast::test::presence
