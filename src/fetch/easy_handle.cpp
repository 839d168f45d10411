#include "fetch/easy_handle.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "fetch/freshness.h"

namespace roomcast::fetch {

namespace {

/// Whether `directory` contains certificates under the hashes of their names, as c_rehash(1) and
/// update-ca-certificates(8) link them: an image may have the file alone.
bool has_hashed_certificates(const char* directory) {
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    constexpr std::size_t name_size = 10;  // 8 hexadecimal digits and ".0"
    const std::string name = entry->path().filename().string();
    if (name.size() == name_size && name.ends_with(".0")) return true;
  }
  return false;
}

}  // namespace

EasyHandle::EasyHandle(Request request, const ClientOptions& options, std::int64_t timeout_ms, Owner& owner)
    : owner_(owner), options_(options), request_(std::move(request)), curl_(curl_easy_init()) {
  if (!curl_) return;
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set_limits(timeout_ms);
  set_trust();
  set_request();
}

template <class Value>
void EasyHandle::set(CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(curl_.get(), option, value);
  if (code != CURLE_OK) failed_option_ = code;
}

void EasyHandle::set_limits(std::int64_t timeout_ms) {
  // 0 would mean no limit.
  const std::int64_t total_ms = std::max<std::int64_t>(timeout_ms, 1);
  const std::int64_t connect_ms = std::clamp<std::int64_t>(options_.connect_timeout_ms, 1, total_ms);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(total_ms));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_ms));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_bytes));
  set(CURLOPT_WRITEFUNCTION, &EasyHandle::on_content);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &EasyHandle::on_header);
  set(CURLOPT_HEADERDATA, this);
  // Timeouts without SIGALRM.
  set(CURLOPT_NOSIGNAL, 1L);
  // A name that is still looked up when its transfer ends is left to its thread: joining that would block the
  // loop until the resolver gives up.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_RESOLVER_START_FUNCTION, &EasyHandle::on_lookup);
  set(CURLOPT_RESOLVER_START_DATA, this);
}

void EasyHandle::set_trust() {
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) {
    set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    return;
  }
  // From a directory OpenSSL reads what a server needs. Reading the file that contains all certificates takes
  // tens of milliseconds, for each connection.
  const char* directory = nullptr;
  const CURLcode code = curl_easy_getinfo(curl_.get(), CURLINFO_CAPATH, &directory);
  if (code != CURLE_OK || directory == nullptr || !has_hashed_certificates(directory)) return;
  set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
}

void EasyHandle::set_request() {
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  for (const Field& field : request_.headers)
    add_field(field.value.empty() ? field.name + ';' : field.name + ": " + field.value);
  if (request_.method == Request::Method::post) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
    add_field("Expect:");  // not sent: nothing waits for 100 (Continue)
    const bool is_typed = std::any_of(
        request_.headers.begin(), request_.headers.end(),
        [](const Field& field) { return curl_strequal(field.name.c_str(), "Content-Type") != 0; });
    if (!is_typed) add_field("Content-Type:");  // not that of a form
  }
  if (fields_) set(CURLOPT_HTTPHEADER, fields_.get());
}

void EasyHandle::add_field(const std::string& line) {
  curl_slist* longer = curl_slist_append(fields_.get(), line.c_str());
  if (longer == nullptr) {
    failed_option_ = CURLE_OUT_OF_MEMORY;
    return;
  }
  (void)fields_.release();
  fields_.reset(longer);
}

std::size_t EasyHandle::on_content(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<EasyHandle*>(self)->take_content({data, bytes}) ? bytes : CURL_WRITEFUNC_ERROR;
}

bool EasyHandle::take_content(std::string_view data) {
  is_too_large_ = data.size() > request_.max_bytes - content_.size();
  if (is_too_large_) return false;
  try {
    content_.append(data);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

std::size_t EasyHandle::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  const std::size_t bytes = size * count;
  return static_cast<EasyHandle*>(self)->take_header({data, bytes}) ? bytes : CURL_WRITEFUNC_ERROR;
}

bool EasyHandle::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) has_head_ = false;
  if (line == "\r\n" || line == "\n") has_head_ = true;
  header_bytes_ += line.size();
  is_too_large_ = header_bytes_ > options_.response_header_bytes;
  return !is_too_large_;
}

int EasyHandle::on_lookup(void* /*resolver*/, void* /*reserved*/, void* self) noexcept {
  static_cast<EasyHandle*>(self)->has_lookup_begun_ = true;
  return 0;
}

bool EasyHandle::is_looking_up() const {
  curl_off_t found_after_us = 0;  // 0: not yet
  (void)curl_easy_getinfo(curl_.get(), CURLINFO_NAMELOOKUP_TIME_T, &found_after_us);
  return has_lookup_begun_ && !has_lookup_failed_ && found_after_us == 0;
}

base::Result<Response, Failure> EasyHandle::take_result(CURLcode code) {
  has_lookup_failed_ = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
  if (code != CURLE_OK) return failure_of(code);
  // libcurl takes a head for complete where the connection ends.
  if (!has_head_) return Failure{Outcome::broken, "the connection was closed before the end of the header"};
  char* target = nullptr;
  (void)curl_easy_getinfo(curl_.get(), CURLINFO_REDIRECT_URL, &target);
  Response response = take_response();
  if (target == nullptr) return response;
  return Failure{Outcome::redirected, "the server answers " + std::to_string(response.status) +
                                          ", a redirect to " + without_secrets(target) +
                                          ", and redirects are not followed"};
}

Response EasyHandle::take_response() {
  Response response;
  long status = 0;
  (void)curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  char* type = nullptr;
  (void)curl_easy_getinfo(curl_.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) response.content_type = type;
  response.max_age_s = freshness_s(fields_named("Cache-Control"), fields_named("Age"));
  response.body = std::move(content_);
  return response;
}

std::string EasyHandle::fields_named(const char* name) const {
  std::string joined;
  curl_header* header = nullptr;
  for (std::size_t i = 0; curl_easy_header(curl_.get(), name, i, CURLH_HEADER, -1, &header) == CURLHE_OK;
       ++i) {
    if (i > 0) joined += ',';
    joined += header->value;
  }
  return joined;
}

Failure EasyHandle::failure_of(CURLcode code) const {
  const Outcome outcome = outcome_of(code);
  if (outcome == Outcome::too_large) {
    const bool is_head = header_bytes_ > options_.response_header_bytes;
    const std::size_t limit = is_head ? options_.response_header_bytes : request_.max_bytes;
    return {outcome, std::string(is_head ? "the response's header" : "the response") + " has more than " +
                         std::to_string(limit) + " bytes"};
  }
  return {outcome, error_[0] != '\0' ? error_.data() : curl_easy_strerror(code)};
}

Outcome EasyHandle::outcome_of(CURLcode code) const {
  if (is_too_large_) return Outcome::too_large;
  switch (code) {
    case CURLE_FILESIZE_EXCEEDED:
      return Outcome::too_large;
    case CURLE_OPERATION_TIMEDOUT:
      return Outcome::timed_out;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Outcome::unresolved;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return Outcome::unreachable;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Outcome::tls_failed;
    case CURLE_URL_MALFORMAT:
      return Outcome::bad_request;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_FAILED_INIT:
      return Outcome::unavailable;
    default:
      return Outcome::broken;
  }
}

}  // namespace roomcast::fetch
