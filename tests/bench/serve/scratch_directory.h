#pragma once

#include <string>
#include <string_view>

namespace roomcast::bench {

/// A fresh directory for a server's configuration, which goes with everything in it.
class ScratchDirectory {
 public:
  /// Throws std::runtime_error when none can be made.
  ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const;
  /// Writes a file and gives its path. Throws std::runtime_error.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace roomcast::bench
