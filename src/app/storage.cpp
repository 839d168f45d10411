#include "app/storage.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "part/settings.h"

namespace roomcast::app {

namespace {

store::StoreOptions store_options(const config::Config::Store& settings) {
  store::StoreOptions options;
  options.path = settings.path;
  options.commit_ms = static_cast<std::int64_t>(settings.commit_ms);
  options.sets_aside = settings.on_corruption == config::OnCorruption::set_aside;
  options.queue_bytes = static_cast<std::size_t>(settings.queue_bytes);
  options.fold_bytes = static_cast<std::size_t>(settings.fold_bytes);
  options.disk_bytes = settings.disk_bytes;
  options.cache_bytes = static_cast<std::size_t>(settings.cache_bytes);
  options.secure_delete = settings.secure_delete;
  return options;
}

engine::Durable::Limits durable_limits(const config::Config& config) {
  return {.ack_timeout_ms = config.store.ack_timeout_ms};
}

}  // namespace

Storage::Storage(const Parts& parts, const config::Config& config) : log_(parts.log) {
  if (config.engine == config::EngineKind::redis) {
    auto setup = RedisSetup::from(config);
    if (setup) {
      redis_ = std::make_unique<RedisBackend>(
          RedisBackend::Parts{parts.loop, parts.turn, parts.deadlines, parts.sockets, parts.tls, parts.log},
          std::move(*setup), config);
      return;
    }
    error_ = std::move(setup.error());
    memory_.emplace(parts.loop);  // nobody uses it
    return;
  }
  if (config.store.path.empty()) {
    memory_.emplace(parts.loop);
    return;
  }
  auto store = store::Store::open({parts.loop, parts.turn, parts.log}, store_options(config.store),
                                  part::room_rules(config));
  if (!store) {
    error_ = std::move(store.error());
    memory_.emplace(parts.loop);  // nobody uses it
    return;
  }
  store_ = std::move(*store);
  durable_.emplace(engine::Durable::Parts{*store_, parts.loop, parts.deadlines, parts.turn, parts.log},
                   part::room_rules(config), durable_limits(config));
}

hub::Engine& Storage::engine() {
  if (redis_) return redis_->engine();
  if (durable_) return *durable_;
  return *memory_;
}

void Storage::apply(const config::Config& config) {
  if (redis_) redis_->apply(config);
  if (!durable_) return;
  store_->set_options(store_options(config.store));
  store_->set_rules(part::room_rules(config));
  durable_->set_limits(durable_limits(config));
  durable_->set_rules(part::room_rules(config));
}

void Storage::close() {
  if (std::exchange(is_closed_, true)) return;
  if (redis_) redis_->flush();
  if (!durable_) return;
  durable_->close();
  // It logs what it could not do.
  if (store_->stop({}) != store::Store::Stopped::disk_does_not_answer) return;
  // Destructors would wait for the threads that wait for the disk.
  log_.write_at_once();
  std::_Exit(EXIT_FAILURE);
}

}  // namespace roomcast::app
