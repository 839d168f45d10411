#include "http/static_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/digest.h"

namespace roomcast::http {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view allowed_methods = "GET, HEAD, OPTIONS";

base::Error cannot_read(const fs::path& path, const std::error_code& why) {
  return {"web.root: cannot read " + path.string() + ": " + why.message()};
}

/// Whether `path`, with symbolic links followed, is a regular file below `root`, which is canonical.
bool is_file_below(const fs::path& path, const fs::path& root) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error || !fs::is_regular_file(real, error)) return false;
  return std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
}

/// The regular files below `root`, in order, dot files left out.
base::Result<std::vector<fs::path>> list_files(const fs::path& root) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::recursive_directory_iterator entry(root, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (is_file_below(entry->path(), root)) {
      paths.push_back(entry->path());
    }
    if (paths.size() > FileSet::max_files) {
      return base::Error{"web.root: more than " + std::to_string(FileSet::max_files) + " files below " +
                         root.string()};
    }
  }
  if (error) return cannot_read(root, error);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return std::nullopt;
  return bytes;
}

void add_security_headers(Headers& headers, const Request& request) {
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  headers.add("Content-Security-Policy", content_security_policy(request.headers.get("Host").value_or("")));
}

Response method_refusal(const Request& request) {
  if (request.method != Method::options) {
    Response refusal = Response::error(405, "method_not_allowed", "files are read with GET and HEAD");
    refusal.headers.add("Allow", allowed_methods);
    return refusal;
  }
  Response answer;
  answer.status = 204;
  answer.headers.add("Allow", allowed_methods);
  return answer;
}

}  // namespace

void FileSet::add(std::string path, std::string_view bytes) {
  const std::string_view type = content_type_of(path);
  files.insert_or_assign(std::move(path),
                         File{base::FrameRef::copy_of(bytes), type, '"' + base::sha256_hex(bytes) + '"'});
}

FileSet FileSet::from_embedded(std::span<const EmbeddedFile> embedded) {
  FileSet set;
  for (const auto& file : embedded)
    set.add('/' + std::string(file.path), file.bytes);
  return set;
}

base::Result<FileSet> FileSet::from_directory(const fs::path& root) {
  std::error_code error;
  const fs::path canonical = fs::canonical(root, error);
  if (error) return cannot_read(root, error);
  if (!fs::is_directory(canonical, error))
    return base::Error{"web.root: " + root.string() + " is not a directory"};
  const auto paths = list_files(canonical);
  if (!paths) return paths.error();
  FileSet set;
  std::size_t total = 0;
  for (const auto& path : *paths) {
    const auto size = fs::file_size(path, error);
    if (error) return cannot_read(path, error);
    total += size;
    if (total > max_bytes) {
      return base::Error{"web.root: more than " + std::to_string(max_bytes) + " bytes below " +
                         root.string()};
    }
    const auto bytes = read_file(path);
    if (!bytes) return base::Error{"web.root: cannot read " + path.string()};
    set.add('/' + path.lexically_relative(canonical).generic_string(), *bytes);
  }
  return set;
}

void StaticFiles::handle(Exchange& exchange, std::string_view path) {
  const Request& request = exchange.request();
  const auto found = files_.files.find(path == "/" ? std::string_view("/index.html") : path);
  if (found == files_.files.end()) {
    return exchange.respond(Response::error(404, "not_found", "there is nothing at this path"));
  }
  if (request.method != Method::get && request.method != Method::head) {
    return exchange.respond(method_refusal(request));
  }
  const FileSet::File& file = found->second;
  Response response;
  response.headers.add("ETag", file.etag);
  response.headers.add("Cache-Control", "no-cache");
  add_security_headers(response.headers, request);
  if (matches_etag(request.headers.joined("If-None-Match"), file.etag)) {
    response.status = 304;
  } else {
    response.headers.add("Content-Type", file.content_type);
    response.body = file.bytes;
  }
  exchange.respond(std::move(response));
}

std::string_view content_type_of(std::string_view path) {
  struct Row {
    std::string_view extension;
    std::string_view type;
  };
  static constexpr std::array<Row, 21> rows{{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".md", "text/markdown; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".xml", "application/xml"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".gif", "image/gif"},
      {".webp", "image/webp"},
      {".avif", "image/avif"},
      {".ico", "image/x-icon"},
      {".woff", "font/woff"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
  }};
  for (const auto& row : rows) {
    const auto start = path.size() - std::min(path.size(), row.extension.size());
    if (base::equals_ignoring_case(path.substr(start), row.extension)) return row.type;
  }
  return "application/octet-stream";
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  std::string_view rest = base::trim(if_none_match);
  if (rest == "*") return true;
  while (!rest.empty()) {
    if (rest.starts_with("W/")) rest.remove_prefix(2);
    const auto close = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
    if (close == std::string_view::npos) return false;
    if (rest.substr(0, close + 1) == etag) return true;
    rest = base::trim(rest.substr(close + 1));
    if (!rest.empty() && rest.front() != ',') return false;
    const auto next = rest.find_first_not_of(", \t");
    rest = next == std::string_view::npos ? std::string_view{} : rest.substr(next);
  }
  return false;
}

std::string content_security_policy(std::string_view host) {
  std::string policy =
      "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
      "img-src 'self' blob: data:; manifest-src 'self'; connect-src 'self'";
  const bool plain =
      host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
      std::string_view::npos;
  if (plain && !host.empty()) {
    policy += " ws://";
    policy += host;
    policy += " wss://";
    policy += host;
  }
  policy += "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

}  // namespace roomcast::http
