#include "power_cut/synchronous.h"

#include <dlfcn.h>
#include <sqlite3.h>

#include <atomic>
#include <string>
#include <string_view>

namespace {

std::atomic<bool> is_normal = false;

}  // namespace

void roomcast::power_cut::sync_less() { is_normal = true; }

// Stands before the library's function of this name, which it calls.
extern "C" int sqlite3_exec(sqlite3* connection, const char* sql, int (*callback)(void*, int, char**, char**),
                            void* context, char** error) {
  static const auto library_exec =
      reinterpret_cast<decltype(&sqlite3_exec)>(::dlsym(RTLD_NEXT, "sqlite3_exec"));
  constexpr std::string_view full = "synchronous=FULL";
  std::string text(sql);
  const std::size_t at = text.find(full);
  if (is_normal && at != std::string::npos) text.replace(at, full.size(), "synchronous=NORMAL");
  return library_exec(connection, text.c_str(), callback, context, error);
}
