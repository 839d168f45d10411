#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace roomcast::http {

struct FoundFile {
  std::string path;  ///< below the root, with '/' between its parts and without one in front
  std::string bytes;
};

struct WebDirectory {
  std::vector<FoundFile> files;      ///< in order
  std::vector<std::string> skipped;  ///< "path: why"
};

struct WebDirectoryBounds {
  std::size_t bytes;  ///< of all files
  std::size_t files;  ///< and as many folders
  std::size_t depth;  ///< folders in folders; what is deeper is skipped
};

/// Reads what is below `root`; see FileSet::from_directory.
[[nodiscard]] base::Result<WebDirectory> read_directory(const std::filesystem::path& root,
                                                        const WebDirectoryBounds& bounds);

}  // namespace roomcast::http
