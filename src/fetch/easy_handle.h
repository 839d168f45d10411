#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fetch/options.h"
#include "fetch/request.h"

namespace roomcast::fetch {

/// One transfer of libcurl: its options, and what has arrived. Neither moves nor is copied, since libcurl
/// keeps its address. No callback of libcurl throws or leaves this class.
class EasyHandle {
 public:
  /// Is told the result of a transfer.
  class Owner {
   public:
    virtual void on_done(CURLcode code) = 0;

   protected:
    ~Owner() = default;
  };

  /// `options` outlives the handle; `timeout_ms` is what is left of the request's, at least 1. Check
  /// `is_ready` before use.
  EasyHandle(Request request, const ClientOptions& options, std::int64_t timeout_ms, Owner& owner);
  EasyHandle(const EasyHandle&) = delete;
  EasyHandle& operator=(const EasyHandle&) = delete;
  ~EasyHandle() = default;

  /// False if libcurl lacks memory, or an option that is needed.
  [[nodiscard]] bool is_ready() const { return curl_ != nullptr && failed_option_ == CURLE_OK; }
  [[nodiscard]] CURL* native() const { return curl_.get(); }
  [[nodiscard]] Owner& owner() const { return owner_; }
  /// Whether a thread of libcurl looks the name up; it goes on when the transfer ends.
  [[nodiscard]] bool is_looking_up() const;
  /// The response or the failure that the transfer has ended with. Once.
  [[nodiscard]] base::Result<Response, Failure> take_result(CURLcode code);

 private:
  struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  static std::size_t on_content(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;

  static int on_lookup(void* resolver, void* reserved, void* self) noexcept;

  template <class Value>
  void set(CURLoption option, Value value);
  void set_limits(std::int64_t timeout_ms);
  void set_trust();
  void set_request();
  void add_field(const std::string& line);
  [[nodiscard]] bool take_content(std::string_view data);
  [[nodiscard]] bool take_header(std::string_view line);
  [[nodiscard]] Response take_response();
  /// The fields of that name in the response, joined by commas; empty if there is none.
  [[nodiscard]] std::string fields_named(const char* name) const;
  [[nodiscard]] Failure failure_of(CURLcode code) const;
  [[nodiscard]] Outcome outcome_of(CURLcode code) const;

  Owner& owner_;
  const ClientOptions& options_;
  Request request_;
  std::string content_;
  std::size_t header_bytes_ = 0;
  bool has_head_ = false;  // the last head, of a 1xx response or the final one, has arrived completely
  bool is_too_large_ = false;
  bool has_lookup_begun_ = false;
  bool has_lookup_failed_ = false;
  CURLcode failed_option_ = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<curl_slist, Free> fields_;
  std::unique_ptr<CURL, Free> curl_;  // freed first: it refers to what stands before
};

}  // namespace roomcast::fetch
