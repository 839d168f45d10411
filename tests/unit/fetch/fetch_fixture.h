#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fetch/client.h"
#include "support/origin_server.h"
#include "support/socket_fixture.h"

namespace roomcast::test {

/// A request with its result.
class Fetched final : public fetch::Transfer::Listener {
 public:
  explicit Fetched(fetch::Client& client) : transfer(client, *this) {}
  Fetched(fetch::Client& client, fetch::Request request) : Fetched(client) {
    transfer.start(std::move(request));
  }

  [[nodiscard]] bool has_ended() const { return calls > 0; }
  /// "200 hello" or "timed_out".
  [[nodiscard]] std::string summary() const {
    if (!result) return "nothing";
    if (!result->ok()) return std::string(fetch::name_of(result->error().outcome));
    return std::to_string((*result)->status) + ' ' + (*result)->body;
  }
  /// Of a failure.
  [[nodiscard]] std::string message() const {
    return result && !result->ok() ? result->error().message : "no failure";
  }

  fetch::Transfer transfer;
  std::optional<base::Result<fetch::Response, fetch::Failure>> result;
  int calls = 0;
  std::function<void()> then;

 private:
  void on_fetched(base::Result<fetch::Response, fetch::Failure> got) override {
    ++calls;
    result.emplace(std::move(got));
    if (then) then();
  }
};

struct FetchFixture : SocketFixture {
  /// Replaces the client by one with `options`.
  void set_up(const fetch::ClientOptions& options) {
    client = std::make_unique<fetch::Client>(loop, sockets.poller, deadlines, turn, options);
  }
  [[nodiscard]] fetch::Request get(std::string_view path = "/") const {
    fetch::Request request;
    request.url = server.url(path);
    return request;
  }
  /// The summary of the result.
  std::string fetch(fetch::Request request) {
    Fetched fetched(*client, std::move(request));
    if (!run_until([&] { return fetched.has_ended(); })) return "no end";
    last = std::move(fetched.result);
    return fetched.calls == 1 ? summary_of_last() : "several calls";
  }
  [[nodiscard]] std::string summary_of_last() const {
    return last->ok() ? std::to_string((*last)->status) + ' ' + (*last)->body
                      : std::string(fetch::name_of(last->error().outcome));
  }
  [[nodiscard]] std::string message() const { return last->ok() ? "no failure" : last->error().message; }
  [[nodiscard]] std::uint64_t ended(fetch::Outcome outcome) const {
    return client->stats().ended[static_cast<std::size_t>(outcome)];
  }

  OriginServer server{*this};
  std::unique_ptr<fetch::Client> client =
      std::make_unique<fetch::Client>(loop, sockets.poller, deadlines, turn, fetch::ClientOptions{});
  std::optional<base::Result<fetch::Response, fetch::Failure>> last;
};

}  // namespace roomcast::test
