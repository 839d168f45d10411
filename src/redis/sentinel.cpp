#include "redis/sentinel.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include "redis/command.h"

namespace roomcast::redis {

namespace {

constexpr std::size_t sentinel_requests = 16;
constexpr std::size_t sentinel_reply_bytes = std::size_t{256} << 10U;
constexpr std::size_t sentinel_reply_items = 4'096;
constexpr std::string_view switch_channel = "+switch-master";
constexpr std::string_view promotion_channel = "+promoted-slave";
constexpr std::uint64_t polls_per_list = 10;
constexpr std::int64_t hurry_for_ms = 5'000;
// Sentinels list each other all the time, also those that they can't reach.
constexpr std::int64_t unlisted_ms = 60'000;

std::uint64_t number_in(const Value* value) {
  std::uint64_t number = 0;
  if (value != nullptr) {
    const std::string_view text = value->text;
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

/// As Sentinels give it; hosts may be names.
std::optional<ServerAddress> address_from(const Value* host, const Value* port,
                                          ServerAddress::Scheme scheme) {
  if (host == nullptr || port == nullptr) return std::nullopt;
  const bool is_ipv6 = host->text.find(':') != std::string_view::npos;
  std::string text = "redis://";
  text.append(is_ipv6 ? "[" : "").append(host->text).append(is_ipv6 ? "]:" : ":").append(port->text);
  auto parsed = ServerAddress::parse(text);
  if (!parsed || parsed->has_password() || !parsed->user.empty()) return std::nullopt;
  parsed->scheme = scheme;
  return std::move(*parsed);
}

}  // namespace

class SentinelTopology::Watch final : private Connection::Owner {
 public:
  Watch(SentinelTopology& topology, Connection::Options options, std::string id)
      : topology_(topology),
        address_(options.address),
        id_(std::move(id)),
        is_found_(!id_.empty()),
        listed_ms_(topology.now_ms()),
        connection_(topology.parts_, std::move(options), *this) {
    connection_.start();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() = default;

  [[nodiscard]] const ServerAddress& address() const { return address_; }
  /// Its own; empty if it is not known yet.
  [[nodiscard]] const std::string& id() const { return id_; }
  /// Known from another Sentinel, not configured.
  [[nodiscard]] bool is_found() const { return is_found_; }
  [[nodiscard]] bool is_up() const { return connection_.is_up(); }
  /// Whether an attempt to connect has failed, and none has succeeded since.
  [[nodiscard]] bool has_failed() const { return has_failed_; }

  [[nodiscard]] bool can_be_forgotten() const { return is_found_ && !is_up(); }
  void note_listed(std::int64_t now_ms) { listed_ms_ = now_ms; }
  [[nodiscard]] std::int64_t listed_ms() const { return listed_ms_; }

  /// Asks for the primary, unless it is being asked: then once more afterwards if `has_news`.
  void ask(bool has_news);
  void ask_for_list();

 private:
  friend class Question;

  void on_connected(Connection& connection, const ServerInfo& server) override;
  void on_disconnected(Connection& connection, std::string_view why) override;
  void on_push(Connection& connection, const Value& value) override;

  void on_id(const Value& reply);
  void on_primary(const Value& reply);
  void on_address(const Value& reply);
  void on_list(const Value& reply);
  void send(std::initializer_list<std::string_view> words, void (Watch::*then)(const Value&));

  SentinelTopology& topology_;
  ServerAddress address_;
  std::string id_;
  bool is_found_;
  bool has_failed_ = false;
  bool is_asked_ = false;
  bool is_to_ask_again_ = false;
  std::int64_t listed_ms_;                // when another Sentinel last named it
  std::optional<SentinelAnswer> answer_;  // but for the address, of the question under way
  Connection connection_;
};

/// The link that owns it is the watch's.
class SentinelTopology::Question final : public Request {
 public:
  Question(Watch& watch, void (Watch::*then)(const Value&)) : watch_(watch), then_(then) {}
  void on_reply(const Value& reply) override { (watch_.*then_)(reply); }
  void on_lost() override {}  // on_disconnected follows

 private:
  Watch& watch_;
  void (Watch::*then_)(const Value&);
};

void SentinelTopology::Watch::send(std::initializer_list<std::string_view> words,
                                   void (Watch::*then)(const Value&)) {
  std::string command;
  append_command(command, words);
  connection_.link().send(std::move(command), std::make_unique<Question>(*this, then));
}

void SentinelTopology::Watch::on_connected(Connection& /*connection*/, const ServerInfo& /*server*/) {
  has_failed_ = false;
  // One by one, since a user may lack the right to either.
  for (const std::string_view channel : {switch_channel, promotion_channel})
    connection_.link().send_subscription("SUBSCRIBE", {&channel, 1}, nullptr);
  send({"SENTINEL", "MYID"}, &Watch::on_id);
  ask(false);
  ask_for_list();
}

void SentinelTopology::Watch::on_disconnected(Connection& /*connection*/, std::string_view why) {
  has_failed_ = true;
  is_asked_ = false;
  is_to_ask_again_ = false;
  answer_.reset();
  topology_.on_lost(why);
}

void SentinelTopology::Watch::on_push(Connection& /*connection*/, const Value& value) {
  if (value.items.size() < 3 || value.items[0].text != "message") return;
  // The payload of a switch: name, old address, new one. Of a promotion: the replica, then "@", the name and
  // the old address.
  const std::string_view payload = value.items[2].text;
  const std::string& name = topology_.options_.name;
  const bool is_ours = value.items[1].text == switch_channel
                           ? payload.substr(0, payload.find(' ')) == name
                           : payload.find(" @ " + name + ' ') != std::string_view::npos;
  if (is_ours) topology_.ask_all();
}

void SentinelTopology::Watch::ask(bool has_news) {
  if (!is_up()) return;
  is_to_ask_again_ = is_asked_ && (is_to_ask_again_ || has_news);
  if (std::exchange(is_asked_, true)) return;
  // In this order: between the two there may be a failover, and an epoch that is too low does no harm. The
  // address in the first answer is no good: while the replica that was chosen takes over, it is still the old
  // one, with the epoch of the new.
  send({"SENTINEL", "MASTER", topology_.options_.name}, &Watch::on_primary);
  send({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", topology_.options_.name}, &Watch::on_address);
}

void SentinelTopology::Watch::ask_for_list() {
  if (!is_up()) return;
  send({"SENTINEL", "SENTINELS", topology_.options_.name}, &Watch::on_list);
}

void SentinelTopology::Watch::on_id(const Value& reply) {
  if (reply.type == Value::Type::text) id_ = reply.text;
}

void SentinelTopology::Watch::on_list(const Value& reply) {
  if (reply.is_list()) topology_.on_list(reply);
}

void SentinelTopology::Watch::on_primary(const Value& reply) {
  if (reply.is_error()) return topology_.on_unknown_name(*this, reply.text);
  answer_.emplace();
  answer_->epoch = number_in(reply.find("config-epoch"));
  answer_->sentinels = 1 + static_cast<std::size_t>(number_in(reply.find("num-other-sentinels")));
}

void SentinelTopology::Watch::on_address(const Value& reply) {
  is_asked_ = false;
  std::optional<SentinelAnswer> answer = std::exchange(answer_, std::nullopt);
  if (std::exchange(is_to_ask_again_, false)) ask(false);
  if (!answer || !reply.is_list() || reply.items.size() != 2) return;
  auto address = address_from(&reply.items[0], &reply.items[1], topology_.primary_scheme());
  if (!address) return;
  answer->primary = std::move(*address);
  topology_.on_answer(*this, *answer);
}

SentinelTopology::SentinelTopology(const Connection::Parts& parts, Options options)
    : parts_(parts), options_(std::move(options)), votes_(options_.votes), due_(parts.deadlines, *this) {}

SentinelTopology::~SentinelTopology() = default;

void SentinelTopology::start(Topology::Listener& listener) {
  listener_ = &listener;
  for (const ServerAddress& address : options_.sentinels)
    add(address, {});
  asked_one_ms_ = now_ms();
  due_.set_in(options_.hurry_ms);
}

SentinelTopology::Stats SentinelTopology::stats() const {
  const auto connected =
      std::count_if(watches_.begin(), watches_.end(), [](const auto& watch) { return watch->is_up(); });
  return {watches_.size(), static_cast<std::size_t>(connected), switches_};
}

ServerAddress::Scheme SentinelTopology::primary_scheme() const {
  const bool has_tls = options_.sentinels.front().scheme == ServerAddress::Scheme::tls;
  return has_tls ? ServerAddress::Scheme::tls : ServerAddress::Scheme::tcp;
}

/// Those that are configured come first in the list, and have no id.
void SentinelTopology::add(const ServerAddress& address, std::string id) {
  const ServerAddress& login = id.empty() ? address : options_.sentinels.front();
  Connection::Options made;
  made.address = address;
  made.role = ServerRole::sentinel;
  made.handshake = options_.handshake;
  if (login.has_password() || !login.user.empty()) {
    made.handshake.user = login.user;
    made.handshake.password = login.password;
  }
  made.limits.requests = sentinel_requests;
  made.limits.reply_ms = options_.reply_ms;
  made.limits.reply.value_bytes = sentinel_reply_bytes;
  made.limits.reply.items = sentinel_reply_items;
  made.connect_ms = options_.connect_ms;
  made.wait_ms = options_.wait_ms;
  made.wait_max_ms = options_.wait_max_ms;
  watches_.push_back(std::make_unique<Watch>(*this, std::move(made), std::move(id)));
}

void SentinelTopology::doubt() {
  votes_.doubt(now_ms());
  hurry_until_ms_ = now_ms() + hurry_for_ms;
  // At most so often, however often it is called.
  if (now_ms() - asked_all_ms_ >= options_.hurry_ms) ask_all();
}

bool SentinelTopology::is_in_a_hurry() const {
  return votes_.primary() == nullptr || now_ms() < hurry_until_ms_ || votes_.is_contested(now_ms());
}

void SentinelTopology::ask_all() {
  asked_all_ms_ = now_ms();
  for (const auto& watch : watches_)
    watch->ask(true);
  due_.set_in(options_.hurry_ms);
}

void SentinelTopology::on_deadline() {
  forget_old();
  due_.set_in(options_.hurry_ms);
  if (is_in_a_hurry()) return ask_all();
  if (now_ms() - asked_one_ms_ >= options_.poll_ms) ask_next();
}

void SentinelTopology::ask_next() {
  asked_one_ms_ = now_ms();
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    next_ = (next_ + 1) % watches_.size();
    if (!watches_[next_]->is_up()) continue;
    watches_[next_]->ask(false);
    if (++polls_ % polls_per_list == 0) watches_[next_]->ask_for_list();
    return;
  }
}

void SentinelTopology::on_answer(const Watch& watch, const SentinelAnswer& answer) {
  is_lost_ = false;
  const bool is_first = votes_.primary() == nullptr;
  const std::string name = watch.id().empty() ? watch.address().to_text() : watch.id();
  if (!votes_.hear(name, answer, now_ms())) return;
  if (!is_first) ++switches_;
  listener_->on_layout(Layout::of_one(*votes_.primary()));
}

void SentinelTopology::on_unknown_name(const Watch& watch, std::string_view why) {
  if (votes_.primary() != nullptr || std::exchange(is_lost_, true)) return;
  listener_->on_topology_lost(watch.address().to_text() + " does not tell the primary \"" + options_.name +
                              "\" (redis.sentinel): " + std::string(why));
}

void SentinelTopology::on_lost(std::string_view why) {
  const bool have_all_failed =
      std::all_of(watches_.begin(), watches_.end(), [](const auto& watch) { return watch->has_failed(); });
  if (!have_all_failed || std::exchange(is_lost_, true)) return;
  listener_->on_topology_lost("no Sentinel answers; the last: " + std::string(why));
}

/// Of those that were found: the ones that are gone, and the ones that are there a second time, such as one
/// that is configured by its name.
void SentinelTopology::forget_old() {
  for (std::size_t i = watches_.size(); i-- > 0;) {
    const Watch& watch = *watches_[i];
    if (!watch.is_found()) continue;
    const auto here = watches_.begin() + static_cast<std::ptrdiff_t>(i);
    const bool is_gone = !watch.is_up() && now_ms() - watch.listed_ms() >= unlisted_ms;
    const bool is_double = std::any_of(watches_.begin(), here, [&](const auto& other) {
      return other->is_up() && other->id() == watch.id();
    });
    if (is_gone || is_double) watches_.erase(here);
  }
}

/// Adds those in the list that are not known.
void SentinelTopology::on_list(const Value& list) {
  for (const Value& item : list.items) {
    const Value* id = item.find("runid");
    const auto address = address_from(item.find("ip"), item.find("port"), primary_scheme());
    if (id == nullptr || id->text.empty() || !address) continue;
    bool is_known = false;
    for (const auto& watch : watches_) {
      // One that is found and down may have moved to another address.
      if (watch->address() != *address && (watch->id() != id->text || watch->can_be_forgotten())) continue;
      watch->note_listed(now_ms());
      is_known = true;
    }
    if (!is_known && watches_.size() < sentinels_max) add(*address, std::string(id->text));
  }
}

}  // namespace roomcast::redis
