#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/exchange.h"
#include "http/url.h"

namespace roomcast::test {

/// A request, and what a handler does with it.
class ExchangeDouble final : public http::Exchange {
 public:
  ExchangeDouble(http::Method method, std::string_view target) {
    request_.method = method;
    request_.method_text = to_string(method);
    const auto parsed = http::parse_target(target);
    if (!parsed) throw std::invalid_argument("no request target");
    request_.path = std::string(parsed->path);
    request_.query = std::string(parsed->query);
  }

  http::Request& edit() { return request_; }
  [[nodiscard]] const http::Request& request() const override { return request_; }
  [[nodiscard]] http::RequestContext& context() override { return context_; }
  /// A recognisable field in place of those of a gate.
  [[nodiscard]] base::SlotId wait_for_gate() override { return defer(); }
  void add_gate_fields(http::Headers& headers) const override { headers.add("From-The-Gate", "yes"); }
  void respond(http::Response response) override { response_ = std::move(response); }
  [[nodiscard]] base::SlotId defer() override {
    deferred_ = true;
    return id;
  }
  [[nodiscard]] base::SlotId defer_for(http::ClientWatch& watch, base::SlotId waiter) override {
    watch_ = &watch;
    waiter_ = waiter;
    return defer();
  }
  [[nodiscard]] base::SlotId defer_holding(std::size_t bytes, http::ClientWatch& watch,
                                           base::SlotId waiter) override {
    held_ = bytes;
    watch_ = &watch;
    waiter_ = waiter;
    return defer();
  }
  [[nodiscard]] http::HandOver take_over(std::string_view head) override {
    if (!connection_) throw std::logic_error("not taken over in this test");
    taken_over_with_ = std::string(head);
    // As in the real class, nothing of the request is left.
    request_ = {};
    return *std::exchange(connection_, std::nullopt);
  }
  /// The result of take_over.
  void offer(http::HandOver connection) { connection_ = std::move(connection); }

  /// The receiver of a deferred response.
  static constexpr base::SlotId id{7, 1};
  [[nodiscard]] bool deferred() const { return deferred_; }
  /// The client leaves before the deferred response.
  void leave() { watch_->on_client_gone(waiter_); }
  /// Memory kept for it until then.
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] bool watched() const { return watch_ != nullptr; }
  /// The response head that went with the hand-over; empty if there was none.
  [[nodiscard]] const std::string& taken_over_with() const { return taken_over_with_; }

  [[nodiscard]] bool answered() const { return response_.has_value(); }
  [[nodiscard]] const http::Response& response() const { return response_.value(); }
  [[nodiscard]] int status() const { return response_ ? response_->status : 0; }
  [[nodiscard]] std::string header(std::string_view name) const { return response().headers.joined(name); }
  [[nodiscard]] std::string_view body() const { return response().body.view(); }

 private:
  http::Request request_;
  http::RequestContext context_;
  std::optional<http::Response> response_;
  std::optional<http::HandOver> connection_;
  std::string taken_over_with_;
  http::ClientWatch* watch_ = nullptr;
  base::SlotId waiter_{};
  bool deferred_ = false;
  std::size_t held_ = 0;
};

}  // namespace roomcast::test
