#include "redis/cluster_topology.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "redis/command.h"

namespace roomcast::redis {

namespace {

constexpr std::size_t cluster_said_bytes = 200;

bool is_same_place(const ServerAddress& one, const ServerAddress& other) {
  return one.scheme == other.scheme && one.host == other.host && one.port == other.port &&
         one.path == other.path;
}

}  // namespace

struct ClusterTopology::Asker final : base::Disposable {
  Asker(const Connection::Parts& parts, const Connection::Options& options, Connection::Owner& owner)
      : connection(parts, options, owner) {}
  Connection connection;
};

class ClusterTopology::EpochAnswer final : public Request {
 public:
  explicit EpochAnswer(ClusterTopology& owner) : owner_(owner) {}
  void on_reply(const Value& reply) override { owner_.on_epoch(reply); }
  void on_lost() override {}

 private:
  ClusterTopology& owner_;
};

class ClusterTopology::ShardsAnswer final : public Request {
 public:
  explicit ShardsAnswer(ClusterTopology& owner) : owner_(owner) {}
  void on_reply(const Value& reply) override { owner_.on_shards(reply); }
  void on_lost() override {}

 private:
  ClusterTopology& owner_;
};

class ClusterTopology::SlotsAnswer final : public Request {
 public:
  explicit SlotsAnswer(ClusterTopology& owner) : owner_(owner) {}
  void on_reply(const Value& reply) override { owner_.on_slots(reply); }
  void on_lost() override {}

 private:
  ClusterTopology& owner_;
};

ClusterTopology::ClusterTopology(const Connection::Parts& parts, Options options)
    : parts_(parts), options_(std::move(options)), servers_(options_.seeds), due_(parts.deadlines, *this) {
  options_.connection.role = ServerRole::any_server;
}

ClusterTopology::~ClusterTopology() = default;

void ClusterTopology::start(Topology::Listener& listener) {
  listener_ = &listener;
  connect();
}

void ClusterTopology::doubt() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const bool is_new = now_ms >= doubted_until_ms_;
  doubted_until_ms_ = now_ms + doubted_ms;
  if (!is_new) return;
  unchanged_ = 0;
  if (!is_asking_ && asker_ != nullptr && asker_->connection.is_up()) wait();
}

// --- Connections ---

void ClusterTopology::connect() {
  is_asking_ = true;
  Connection::Options options = options_.connection;
  // With the credentials of the seeds, and the database that a cluster has.
  const ServerAddress& server = servers_.at(present_);
  options.address.scheme = server.scheme;
  options.address.host = server.host;
  options.address.port = server.port;
  options.address.path = server.path;
  Connection::Owner& owner = *this;
  asker_ = std::make_unique<Asker>(parts_, options, owner);
  asker_->connection.start();
}

/// The present server is of no use: after all of them the next round begins a little later.
void ClusterTopology::try_next(std::string_view why) {
  const std::string reason(why);  // of the link
  // What it calls from here on is for nobody.
  std::unique_ptr<Asker> old = std::move(asker_);
  if (old != nullptr) {
    old->connection.stop("another server is asked");
    parts_.scheduler.free_later(std::move(old));
  }
  present_ = (present_ + 1) % servers_.size();
  is_asking_ = false;
  if (++failed_ % servers_.size() != 0) return connect();
  due_.set_in(options_.doubt_ms);
  if (!std::exchange(is_lost_, true)) listener_->on_topology_lost(reason);
}

void ClusterTopology::on_connected(Connection& connection, const ServerInfo& /*server*/) {
  if (asker_ != nullptr && &connection == &asker_->connection) ask();
}

void ClusterTopology::on_disconnected(Connection& connection, std::string_view why) {
  if (asker_ != nullptr && &connection == &asker_->connection) try_next(why);
}

void ClusterTopology::on_push(Connection& /*connection*/, const Value& /*value*/) {}

// --- Questions ---

void ClusterTopology::on_deadline() {
  if (asker_ == nullptr) return connect();
  if (!asker_->connection.is_up()) return;
  const bool is_doubted = parts_.clock.monotonic_ms() < doubted_until_ms_;
  // Another one may know more.
  if (is_doubted && unchanged_ != 0 && servers_.size() > 1) return try_next("it knows of no change");
  ask();
}

void ClusterTopology::ask() {
  is_asking_ = true;
  ++asked_;
  asked_ms_ = parts_.clock.monotonic_ms();
  answered_epoch_ = 0;
  Link& link = asker_->connection.link();
  std::string bytes;
  append_command(bytes, {"CLUSTER", "INFO"});
  link.send(std::move(bytes), std::make_unique<EpochAnswer>(*this));
  bytes.clear();
  append_command(bytes, {"CLUSTER", "SHARDS"});
  link.send(std::move(bytes), std::make_unique<ShardsAnswer>(*this));
}

void ClusterTopology::on_epoch(const Value& reply) {
  // An error means that it may not be asked for: then the epoch decides nothing.
  answered_epoch_ = reply.is_error() ? 0 : read_cluster_epoch(reply.text);
}

void ClusterTopology::on_shards(const Value& reply) {
  const bool is_unknown = reply.is_error() && reply.text.starts_with("ERR ") &&
                          reply.text.find("subcommand") != std::string_view::npos;
  if (!is_unknown) return take(reply, read_cluster_shards(reply, servers_.at(present_)));
  std::string bytes;
  append_command(bytes, {"CLUSTER", "SLOTS"});
  asker_->connection.link().send(std::move(bytes), std::make_unique<SlotsAnswer>(*this));
}

void ClusterTopology::on_slots(const Value& reply) {
  take(reply, read_cluster_slots(reply, servers_.at(present_)));
}

void ClusterTopology::take(const Value& reply, std::optional<ClusterView>&& view) {
  is_asking_ = false;
  const std::string server = servers_.at(present_).to_text();
  if (!view || view->layout.shards.empty()) {
    const std::string said =
        reply.is_error() ? " (" + std::string(reply.text.substr(0, cluster_said_bytes)) + ")" : "";
    return try_next(server + ": it does not say which servers of a cluster have which slots" + said);
  }
  const bool is_old = answered_epoch_ != 0 && answered_epoch_ < epoch_;
  if (is_old && failed_ < servers_.size()) return try_next(server + ": it knows an old state of the cluster");
  failed_ = 0;
  is_lost_ = false;
  if (answered_epoch_ != 0) epoch_ = answered_epoch_;
  remember(std::move(view->servers));
  const bool is_new = view->layout != layout_;
  unchanged_ = is_new ? 0 : unchanged_ + 1;
  if (is_new) {
    layout_ = std::move(view->layout);
    doubted_until_ms_ = 0;
  }
  wait();
  if (is_new) listener_->on_layout(layout_);
}

/// Asks those next which the cluster has named last; the seeds stay, since all others may be replaced.
void ClusterTopology::remember(std::vector<ServerAddress> servers) {
  const ServerAddress present = servers_.at(present_);
  const auto has = [&](const ServerAddress& address) {
    return std::any_of(servers.begin(), servers.end(),
                       [&](const ServerAddress& one) { return is_same_place(one, address); });
  };
  if (servers.size() > servers_max) servers.resize(servers_max);
  for (const ServerAddress& seed : options_.seeds) {
    if (!has(seed)) servers.push_back(seed);
  }
  if (!has(present)) servers.push_back(present);
  servers_ = std::move(servers);
  const auto found = std::find_if(servers_.begin(), servers_.end(),
                                  [&](const ServerAddress& one) { return is_same_place(one, present); });
  present_ = static_cast<std::size_t>(found - servers_.begin());
}

void ClusterTopology::wait() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  if (now_ms >= doubted_until_ms_) return due_.set_in(options_.ask_ms);
  due_.set_in(std::max<std::int64_t>(options_.doubt_ms - (now_ms - asked_ms_), 0));
}

}  // namespace roomcast::redis
