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
    base::Bytes gzip;               ///< the same as one gzip file; empty where that would not be worth it
    std::string_view content_type;  ///< static
    std::string etag;               ///< strong, in its quotes (RFC 9110 section 8.8.3)
  };
  std::map<std::string, File, std::less<>> files;
  /// What from_directory left out though its name does not begin with a dot: "path: why".
  std::vector<std::string> skipped;

  /// The files at the paths that they have, and the client module at the root as well.
  static FileSet from_embedded(std::span<const EmbeddedFile> embedded);
  /// Adds the client module, "client/roomcast*", at the root ("/roomcast.js" and what it imports), except at
  /// paths that are taken.
  void add_client_module(std::span<const EmbeddedFile> embedded);
  /// Reads the files below `root`: nothing whose name begins with a dot, symbolic links to files and folders
  /// only where they lead to something below `root`. What cannot be read, or leads elsewhere, is skipped. An
  /// error names what is wrong: `root` itself is no folder or unreadable, or what it holds is past a bound.
  static base::Result<FileSet> from_directory(const std::filesystem::path& root);
  /// What that would take in, as it stands there: for who only asks whether it can be read.
  static base::Result<WebDirectory> look_at_directory(const std::filesystem::path& root);

  static constexpr std::size_t max_bytes = std::size_t{64} * 1024 * 1024;
  static constexpr std::size_t max_files = 4096;  ///< folders too, each as often as links lead to it
  static constexpr std::size_t max_depth = 32;    ///< folders in folders; what is deeper is skipped
  /// Compressed once, when the set is made, which holds up everybody: text up to these sizes, of a file and
  /// of all.
  static constexpr std::size_t max_gzip_file_bytes = std::size_t{1} * 1024 * 1024;
  static constexpr std::size_t max_gzip_bytes = std::size_t{8} * 1024 * 1024;

 private:
  void add(std::string path, std::string_view bytes);
  std::size_t compressed_bytes_ = 0;  ///< of the files that were compressed, before it
};

/// Serves a FileSet: GET and HEAD, conditional by If-None-Match, with the headers that keep a page to itself.
/// Text goes out compressed to whoever accepts that, under an ETag of its own.
/// Only the set's map is consulted, so no path, however encoded, leads outside. A path that ends with a slash
/// is that of the "index.html" there; without the slash it is redirected to (308), for relative links to
/// hold.
class StaticFiles final : public Handler {
 public:
  /// Whether the client of a request takes gzip (RFC 9110 section 12.5.3).
  using AcceptsGzip = bool (*)(const Request& request);

  /// Without `accepts_gzip` nothing is compressed.
  explicit StaticFiles(FileSet files, AcceptsGzip accepts_gzip = nullptr)
      : files_(std::move(files)), accepts_gzip_(accepts_gzip) {}
  /// Answers from `files` from now on.
  void replace(FileSet files) { files_ = std::move(files); }
  /// Content-Security-Policy from now on; empty: the one of content_security_policy(), "none": no such field.
  void set_policy(std::string policy) { policy_ = std::move(policy); }

  /// `path` is the whole decoded path.
  void handle(Exchange& exchange, std::string_view path) override;

 private:
  void add_security_headers(Headers& headers, const Request& request) const;
  /// Null if there is none.
  [[nodiscard]] const FileSet::File* find(std::string_view path) const;

  FileSet files_;
  AcceptsGzip accepts_gzip_;
  std::string policy_;
};

/// The media type that goes with a file's name (RFC 9110 section 8.3); application/octet-stream if unknown.
[[nodiscard]] std::string_view content_type_of(std::string_view path);

/// RFC 9110 section 8.8.3.2: whether a tag in the list that is marked as weak can match.
enum class EtagComparison : std::uint8_t { weak, strong };

/// Whether `list`, the value of If-None-Match (RFC 9110 section 13.1.2, weak comparison) or If-Match (13.1.1,
/// strong), names the strong `etag`.
[[nodiscard]] bool matches_etag(std::string_view list, std::string_view etag,
                                EtagComparison comparison = EtagComparison::weak);

/// Content-Security-Policy for a page served to `host` (the Host field). `'self'` covers WebSockets only in
/// current browsers, so the page's own host is named for the older ones; a host that could be read as
/// policy is left out.
[[nodiscard]] std::string content_security_policy(std::string_view host);

}  // namespace roomcast::http
