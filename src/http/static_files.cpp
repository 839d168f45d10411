#include "http/static_files.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/digest.h"
#include "base/gzip.h"
#include "base/text.h"

namespace roomcast::http {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view allowed_methods = "GET, HEAD, OPTIONS";

/// Redirects to the path with a slash. The path begins with one slash only: no file begins with two.
Response redirect_to_folder(const Request& request) {
  std::string target = request.path + '/';
  if (!request.query.empty()) target += '?' + request.query;
  Response response;
  response.status = 308;
  response.headers.add("Location", target);
  response.headers.add("Cache-Control", "no-cache");
  return response;
}

Response method_refusal(const Request& request) {
  if (request.method != Method::options) {
    Response refusal =
        Response::error({base::Refusal::Code::method_not_allowed, "files are read with GET and HEAD"});
    refusal.headers.add("Allow", allowed_methods);
    return refusal;
  }
  Response answer;
  answer.status = 204;
  answer.headers.add("Allow", allowed_methods);
  return answer;
}

/// Whether a content type is text, which compresses; images and fonts are compressed already.
bool compresses(std::string_view type) {
  return type.starts_with("text/") || type.starts_with("application/json") || type.ends_with("+xml") ||
         type.ends_with("+json") || type == "application/xml" || type == "application/wasm";
}

/// A compressed file is another representation and needs a different strong ETag (RFC 9110 section 8.8.3.3).
std::string gzip_etag(std::string_view etag) {
  return std::string(etag.substr(0, etag.size() - 1)) + "-gzip\"";
}

}  // namespace

void FileSet::add(std::string path, std::string_view bytes) {
  const std::string_view type = content_type_of(path);
  base::Bytes compressed;
  if (compresses(type) && bytes.size() <= max_gzip_file_bytes &&
      bytes.size() <= max_gzip_bytes - compressed_bytes_) {
    compressed_bytes_ += bytes.size();
    const std::string shorter = base::gzip(bytes);
    if (shorter.size() < bytes.size()) compressed = base::Bytes::copy_of(shorter);
  }
  files.insert_or_assign(std::move(path), File{base::Bytes::copy_of(bytes), std::move(compressed), type,
                                               '"' + base::sha256_hex(bytes) + '"'});
}

FileSet FileSet::from_embedded(std::span<const EmbeddedFile> embedded) {
  FileSet set;
  for (const auto& file : embedded)
    set.add('/' + std::string(file.path), file.bytes);
  set.add_client_module(embedded);
  return set;
}

void FileSet::add_client_module(std::span<const EmbeddedFile> embedded) {
  constexpr std::string_view folder = "client/";
  for (const auto& file : embedded) {
    if (!file.path.starts_with(folder) || !file.path.substr(folder.size()).starts_with("roomcast")) continue;
    const std::string path = '/' + std::string(file.path.substr(folder.size()));
    if (files.find(path) == files.end()) add(path, file.bytes);
  }
}

base::Result<WebDirectory> FileSet::look_at_directory(const fs::path& root) {
  return read_directory(root, {max_bytes, max_files, max_depth});
}

base::Result<FileSet> FileSet::from_directory(const fs::path& root) {
  auto found = look_at_directory(root);
  if (!found) return std::move(found.error());
  FileSet set;
  for (const FoundFile& file : found->files)
    set.add('/' + file.path, file.bytes);
  set.skipped = std::move(found->skipped);
  return set;
}

const FileSet::File* StaticFiles::find(std::string_view path) const {
  const auto found = files_.files.find(path);
  return found == files_.files.end() ? nullptr : &found->second;
}

void StaticFiles::handle(Exchange& exchange, std::string_view path) {
  const Request& request = exchange.request();
  const FileSet::File* found = path.ends_with('/') ? find(std::string(path) + "index.html") : find(path);
  if (found == nullptr && find(std::string(path) + "/index.html") != nullptr) {
    return exchange.respond(redirect_to_folder(request));
  }
  if (found == nullptr) {
    return exchange.respond(
        Response::error({base::Refusal::Code::not_found, "there is nothing at this path"}));
  }
  if (request.method != Method::get && request.method != Method::head) {
    return exchange.respond(method_refusal(request));
  }
  const FileSet::File& file = *found;
  Response response;
  const bool has_choice = accepts_gzip_ != nullptr && !file.gzip.empty();
  const bool gzip = has_choice && accepts_gzip_(request);
  const std::string etag = gzip ? gzip_etag(file.etag) : file.etag;
  response.headers.add("ETag", etag);
  if (has_choice) response.headers.add("Vary", "Accept-Encoding");
  response.headers.add("Cache-Control", "no-cache");
  add_security_headers(response.headers, request);
  // RFC 9110 section 13.2.2: If-Match is evaluated first.
  const bool is_other = request.headers.count("If-Match") > 0 &&
                        !matches_etag(request.headers.joined("If-Match"), etag, EtagComparison::strong);
  if (is_other) {
    response.status = 412;
  } else if (matches_etag(request.headers.joined("If-None-Match"), etag, EtagComparison::weak)) {
    response.status = 304;
  } else {
    response.headers.add("Content-Type", file.content_type);
    if (gzip) response.headers.add("Content-Encoding", "gzip");
    response.body = gzip ? file.gzip : file.bytes;
  }
  exchange.respond(std::move(response));
}

void StaticFiles::add_security_headers(Headers& headers, const Request& request) const {
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  if (policy_ == "none") return;
  headers.add("Content-Security-Policy",
              policy_.empty() ? content_security_policy(request.headers.get("Host").value_or("")) : policy_);
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

bool matches_etag(std::string_view list, std::string_view etag, EtagComparison comparison) {
  std::string_view rest = base::trim(list);
  if (rest == "*") return true;
  // Empty elements are ignored, also the first one (RFC 9110 section 5.6.1.2).
  rest.remove_prefix(std::min(rest.find_first_not_of(", \t"), rest.size()));
  while (!rest.empty()) {
    const bool is_weak = rest.starts_with("W/");
    if (is_weak) rest.remove_prefix(2);
    const auto close = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
    if (close == std::string_view::npos) return false;
    const bool may_match = !is_weak || comparison == EtagComparison::weak;
    if (may_match && rest.substr(0, close + 1) == etag) return true;
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
