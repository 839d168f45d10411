#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/exchange.h"
#include "http/web_directory.h"

namespace roomcast::http {

/// A set of files in memory, by exact decoded path ("/index.html"). Immutable once loaded.
struct FileSet {
  struct File {
    base::Bytes bytes;
    base::Bytes gzip;               ///< the same as a gzip file; empty if that is not worth it
    std::string_view content_type;  ///< static
    std::string etag;               ///< strong, in its quotes (RFC 9110 section 8.8.3)
  };
  std::map<std::string, File, std::less<>> files;
  /// Files that from_directory skipped although their names do not begin with a dot: "path: why".
  std::vector<std::string> skipped;

  /// The files at the paths that they have, and the client module at the root as well.
  static FileSet from_embedded(std::span<const EmbeddedFile> embedded);
  /// Adds the client module, "client/roomcast*", at the root ("/roomcast.js" and what it imports), except at
  /// paths that are taken.
  void add_client_module(std::span<const EmbeddedFile> embedded);
  /// Reads the files below `root`, except those whose name begins with a dot; symbolic links are followed
  /// only to places below `root`. Files that cannot be read, or links that lead elsewhere, are skipped. An
  /// error names the problem: `root` is not a readable folder, or its content exceeds a limit.
  static base::Result<FileSet> from_directory(const std::filesystem::path& root);
  /// The files that from_directory would read, for checking whether they can be read.
  static base::Result<WebDirectory> look_at_directory(const std::filesystem::path& root);

  static constexpr std::size_t max_bytes = std::size_t{64} * 1024 * 1024;
  static constexpr std::size_t max_files = 4096;  ///< also of folders, each as often as it is linked
  static constexpr std::size_t max_depth = 32;    ///< nesting of folders; deeper ones are skipped
  /// Limits of a file and of all files for compression, which is done once when the set is made and blocks
  /// the loop.
  static constexpr std::size_t max_gzip_file_bytes = std::size_t{1} * 1024 * 1024;
  static constexpr std::size_t max_gzip_bytes = std::size_t{8} * 1024 * 1024;

 private:
  void add(std::string path, std::string_view bytes);
  std::size_t compressed_bytes_ = 0;  ///< total size of the compressed files, before compression
};

/// Serves a FileSet: GET and HEAD, conditional by If-None-Match, with security headers. Text is compressed
/// for clients that accept that, under an ETag of its own. Only the map of the set is consulted, so that no
/// path, however encoded, leads outside. A path that ends in a slash denotes the "index.html" there; without
/// the slash it is redirected (308), so that relative links work.
class StaticFiles final : public Handler {
 public:
  /// Whether the client of a request accepts gzip (RFC 9110 section 12.5.3).
  using AcceptsGzip = bool (*)(const Request& request);

  /// `accepts_gzip` null: nothing is compressed.
  explicit StaticFiles(FileSet files, AcceptsGzip accepts_gzip = nullptr)
      : files_(std::move(files)), accepts_gzip_(accepts_gzip) {}
  /// Replaces the files.
  void replace(FileSet files) { files_ = std::move(files); }
  /// Sets the Content-Security-Policy; empty: that of content_security_policy(), "none": no such field.
  void set_policy(std::string policy) { policy_ = std::move(policy); }

  /// `path` is the complete decoded path.
  void handle(Exchange& exchange, std::string_view path) override;

 private:
  void add_security_headers(Headers& headers, const Request& request) const;
  /// The file for `path`; null if there is none.
  [[nodiscard]] const FileSet::File* find(std::string_view path) const;

  FileSet files_;
  AcceptsGzip accepts_gzip_;
  std::string policy_;
};

/// The media type for a file name (RFC 9110 section 8.3); application/octet-stream if unknown.
[[nodiscard]] std::string_view content_type_of(std::string_view path);

/// RFC 9110 section 8.8.3.2: whether weak tags in the list can match.
enum class EtagComparison : std::uint8_t { weak, strong };

/// Whether `list`, the value of If-None-Match (RFC 9110 section 13.1.2, weak comparison) or If-Match (13.1.1,
/// strong), matches the strong `etag`.
[[nodiscard]] bool matches_etag(std::string_view list, std::string_view etag,
                                EtagComparison comparison = EtagComparison::weak);

/// The Content-Security-Policy for a page served to `host` (the Host field). `'self'` covers WebSockets only
/// in current browsers, so the host of the page is named for older ones; a host that could be read as policy
/// is omitted.
[[nodiscard]] std::string content_security_policy(std::string_view host);

}  // namespace roomcast::http
