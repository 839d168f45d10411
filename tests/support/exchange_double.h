#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/exchange.h"
#include "http/url.h"

namespace roomcast::test {

/// One request and the answer a handler gives at once.
class ExchangeDouble final : public http::Exchange {
 public:
  ExchangeDouble(http::Method method, std::string_view target) {
    request_.method = method;
    request_.method_text = std::string(to_string(method));
    const auto parsed = http::parse_target(target);
    if (!parsed) throw std::invalid_argument("no request target");
    request_.path = std::string(parsed->path);
    request_.query = std::string(parsed->query);
  }

  http::Request& edit() { return request_; }
  [[nodiscard]] const http::Request& request() const override { return request_; }
  void respond(http::Response response) override { response_ = std::move(response); }
  [[nodiscard]] base::SlotId defer() override { throw std::logic_error("not deferred in this test"); }
  [[nodiscard]] http::HandOver take_over(std::string_view) override {
    throw std::logic_error("not taken over in this test");
  }

  [[nodiscard]] bool answered() const { return response_.has_value(); }
  [[nodiscard]] const http::Response& response() const { return response_.value(); }
  [[nodiscard]] int status() const { return response_ ? response_->status : 0; }
  [[nodiscard]] std::string header(std::string_view name) const { return response().headers.joined(name); }
  [[nodiscard]] std::string_view body() const { return response().body.view(); }

 private:
  http::Request request_;
  std::optional<http::Response> response_;
};

}  // namespace roomcast::test
