#pragma once

#include <cstdint>
#include <memory>

struct sqlite3;

namespace roomcast::store {

/// Times what the file system takes to sync the WAL of one connection. SQLite does not tell, and a commit is
/// more than its sync: so this stands between SQLite and the methods of the WAL's file, from the construction
/// to the destruction. For the thread that uses the connection; destroyed before that is closed.
class SyncWatch {
 public:
  /// The connection has read or written something, so that its WAL is open; null if it is not.
  [[nodiscard]] static std::unique_ptr<SyncWatch> of(sqlite3* connection);
  SyncWatch(const SyncWatch&) = delete;
  SyncWatch& operator=(const SyncWatch&) = delete;
  ~SyncWatch();

  /// Microseconds of the syncs since the last call, those that failed included.
  [[nodiscard]] std::int64_t take_us();

 private:
  struct Methods;
  SyncWatch(sqlite3* connection, std::unique_ptr<Methods> methods);

  sqlite3* connection_;
  std::unique_ptr<Methods> methods_;
};

}  // namespace roomcast::store
