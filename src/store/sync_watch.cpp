#include "store/sync_watch.h"

#include <sqlite3.h>

#include <chrono>
#include <utility>

namespace roomcast::store {

namespace {

/// The file of the connection's WAL; null if there is none that is open.
sqlite3_file* wal_of(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  const int result = sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return result == SQLITE_OK && file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

}  // namespace

/// The methods of the file with one changed. SQLite hands a method its file, whose methods are these: that is
/// how `sync` finds the rest.
struct SyncWatch::Methods : sqlite3_io_methods {
  explicit Methods(const sqlite3_io_methods* methods) : sqlite3_io_methods(*methods), original(methods) {
    xSync = sync;
  }

  static int sync(sqlite3_file* file, int flags) {
    using Clock = std::chrono::steady_clock;
    const auto& self = *static_cast<const Methods*>(file->pMethods);
    const Clock::time_point begun = Clock::now();
    const int result = self.original->xSync(file, flags);
    self.took_us += std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun).count();
    return result;
  }

  const sqlite3_io_methods* original;
  mutable std::int64_t took_us = 0;  // SQLite's pointer to the methods is const
};

std::unique_ptr<SyncWatch> SyncWatch::of(sqlite3* connection) {
  sqlite3_file* const file = wal_of(connection);
  if (file == nullptr) return nullptr;
  auto methods = std::make_unique<Methods>(file->pMethods);
  file->pMethods = methods.get();
  return std::unique_ptr<SyncWatch>(new SyncWatch(connection, std::move(methods)));
}

SyncWatch::SyncWatch(sqlite3* connection, std::unique_ptr<Methods> methods)
    : connection_(connection), methods_(std::move(methods)) {}

SyncWatch::~SyncWatch() {
  sqlite3_file* const file = wal_of(connection_);
  if (file != nullptr && file->pMethods == methods_.get()) file->pMethods = methods_->original;
}

std::int64_t SyncWatch::take_us() { return std::exchange(methods_->took_us, 0); }

}  // namespace roomcast::store
