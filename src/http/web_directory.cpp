#include "http/web_directory.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace roomcast::http {

namespace {

namespace fs = std::filesystem;

base::Error cannot_read(const fs::path& path, const std::error_code& why) {
  return {"web.root: cannot read " + path.string() + ": " + why.message()};
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return std::nullopt;
  return bytes;
}

/// Traverses the folders once; linked folders are traversed where the link is.
class Walk {
 public:
  Walk(fs::path root, const WebDirectoryBounds& bounds) : root_(std::move(root)), bounds_(bounds) {}

  base::Result<WebDirectory> run() {
    std::error_code error;
    const fs::directory_iterator readable(root_, error);
    if (error) return cannot_read(root_, error);
    walk(root_, "");
    if (past_bound_) return base::Error{"web.root: more than " + *past_bound_ + " below " + root_.string()};
    std::sort(found_.files.begin(), found_.files.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  void walk(const fs::path& folder, const std::string& prefix) {
    if (++folders_ > bounds_.files) past_bound_ = std::to_string(bounds_.files) + " folders";
    chain_.push_back(folder);
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && !past_bound_ && entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (!name.starts_with('.')) visit(entry->path(), prefix + name);
    }
    if (error) skip(prefix, error.message());
    chain_.pop_back();
  }

  void visit(const fs::path& entry, const std::string& path) {
    std::error_code error;
    const fs::path real = fs::canonical(entry, error);
    if (error) return skip(path, error.message());
    if (std::mismatch(root_.begin(), root_.end(), real.begin(), real.end()).first != root_.end()) {
      return skip(path, "leads out of web.root");
    }
    const fs::file_status status = fs::status(real, error);
    if (error) return skip(path, error.message());
    if (fs::is_regular_file(status)) return take(real, path);
    if (!fs::is_directory(status)) return skip(path, "neither a file nor a folder");
    if (std::find(chain_.begin(), chain_.end(), real) != chain_.end()) {
      return skip(path, "leads back to a folder that it is in");
    }
    if (chain_.size() > bounds_.depth) return skip(path, "too deep");
    walk(real, path + '/');
  }

  void take(const fs::path& real, const std::string& path) {
    std::error_code error;
    const auto size = fs::file_size(real, error);
    if (error) return skip(path, error.message());
    if (size > bounds_.bytes - std::min(bytes_, bounds_.bytes)) {
      past_bound_ = std::to_string(bounds_.bytes) + " bytes";
      return;
    }
    auto bytes = read_file(real);
    if (!bytes) return skip(path, "cannot be read");
    bytes_ += bytes->size();
    found_.files.push_back({path, std::move(*bytes)});
    if (found_.files.size() > bounds_.files) past_bound_ = std::to_string(bounds_.files) + " files";
  }

  void skip(const std::string& path, const std::string& why) { found_.skipped.push_back(path + ": " + why); }

  fs::path root_;  // canonical
  WebDirectoryBounds bounds_;
  WebDirectory found_;
  std::vector<fs::path> chain_;  // the current folder and its parents, canonical
  std::size_t folders_ = 0;
  std::size_t bytes_ = 0;
  std::optional<std::string> past_bound_;
};

}  // namespace

base::Result<WebDirectory> read_directory(const fs::path& root, const WebDirectoryBounds& bounds) {
  std::error_code error;
  fs::path canonical = fs::canonical(root, error);
  if (error) return cannot_read(root, error);
  if (!fs::is_directory(canonical, error)) {
    return base::Error{"web.root: " + root.string() + " is not a directory"};
  }
  return Walk(std::move(canonical), bounds).run();
}

}  // namespace roomcast::http
