// Shared by the tests of http::Connection: a server with one connection, a handler that echoes the request,
// and a scheduler whose turns end on request.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "http/server.h"
#include "part/settings.h"
#include "support/fake_clock.h"
#include "support/http_stream_double.h"

namespace roomcast::http::test {

using roomcast::test::StreamDouble;
using roomcast::test::StreamRecord;

class TurnScheduler final : public base::Scheduler {
 public:
  void mark_dirty(base::TurnTask& item) override { dirty.push_back(&item); }
  void mark_deferred(base::TurnTask& item) override { dirty.push_back(&item); }
  void forget(base::TurnTask& item) override { std::erase(dirty, &item); }
  void free_later(std::unique_ptr<base::Disposable> item) override { freed_later.push_back(std::move(item)); }
  void wake() override {}
  [[nodiscard]] base::WorkAllowance first_allowance() const override {
    using base::WorkAllowance;
    return {is_crowded ? WorkAllowance::of_crowded_read : WorkAllowance::of_first_read,
            WorkAllowance::of_first_read};
  }
  void end_turn() {
    while (!dirty.empty()) {
      base::TurnTask* item = dirty.back();
      dirty.pop_back();
      item->run_at_turn_end();
    }
    freed_later.clear();
  }
  void flush_first() {
    base::TurnTask* item = dirty.front();
    dirty.erase(dirty.begin());
    item->run_at_turn_end();
  }
  bool is_crowded = false;
  std::vector<base::TurnTask*> dirty;
  std::vector<std::unique_ptr<base::Disposable>> freed_later;
};

/// Echoes the request; "/later" defers, "/watched" defers with a watch, "/up" takes the stream over,
/// "/up-by-name" by the id of a deferred response, "/big" has a large response, "/nothing" does not answer,
/// "/throw" fails.
class Probe final : public http::Handler, private http::ClientWatch {
 public:
  void handle(http::Exchange& exchange, std::string_view) override {
    const auto& request = exchange.request();
    seen.push_back(request.path);
    clients.push_back(request.client);
    if (request.path == "/later") {
      deferred.push_back(exchange.defer());
    } else if (request.path == "/watched") {
      deferred.push_back(exchange.defer_for(*this, base::SlotId{42, 7}));
    } else if (request.path == "/up") {
      hand_over.emplace(exchange.take_over("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    } else if (request.path == "/up-by-name") {
      hand_over = server->take_over(exchange.defer(), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    } else if (request.path == "/endless") {
      http::Headers fields;
      exchange.add_gate_fields(fields);
      std::string head = "HTTP/1.1 200 OK\r\n";
      for (std::size_t i = 0; i < fields.size(); ++i)
        head.append(fields.field(i).name).append(": ").append(fields.field(i).value).append("\r\n");
      hand_over.emplace(exchange.take_over(head + "\r\n"));
    } else if (request.path == "/big") {
      exchange.respond(http::Response::of(200, "text/plain", std::string(100'000, 'x')));
    } else if (request.path == "/empty") {
      http::Response response;
      response.status = 204;
      exchange.respond(std::move(response));
    } else if (request.path == "/at-once") {
      server->respond(exchange.defer(), http::Response::of(200, "text/plain", "at once"));
    } else if (request.path == "/defer-and-throw") {
      deferred.push_back(exchange.defer());
      throw std::runtime_error("on purpose");
    } else if (request.path == "/throw") {
      throw std::runtime_error("on purpose");
    } else if (request.path != "/nothing") {
      exchange.respond(http::Response::of(200, "text/plain", request.path + request.body));
    }
  }
  std::vector<std::string> seen;
  std::vector<http::Client> clients;
  std::vector<base::SlotId> deferred;
  std::vector<base::SlotId> gone;  // waiters whose clients have left
  std::optional<http::HandOver> hand_over;
  http::DeferredResponses* server = nullptr;

 private:
  void on_client_gone(base::SlotId waiter) override {
    gone.push_back(waiter);
    // The id is stale by now.
    server->respond(deferred.back(), http::Response::of(200, "text/plain", "too late"));
  }
};

struct ConnectionFixture {
  roomcast::test::FakeClock clock;
  base::Deadlines deadlines{clock, 100};
  TurnScheduler scheduler;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  StreamRecord stream;
  net::AdmissionControl control{{10, 10}};
  Probe probe;
  http::Server server{
      probe, clock, deadlines, scheduler, log, part::parser_limits({}), part::connection_settings({})};

  ConnectionFixture() {
    clock.wall_now_ms = 784111777000;
    probe.server = &server;
    connect();
  }

  void connect() { connect(stream); }
  void connect(StreamRecord& record) {
    net::Admission admission;
    CHECK(control.admit("192.0.2.1", false, admission) == net::ExceededLimit::none);
    server.accept(std::make_unique<StreamDouble>(record), std::move(admission));
  }

  /// Ends a turn.
  void reap() { scheduler.end_turn(); }

  void pass(std::int64_t ms) {
    clock.now_ms += ms;
    deadlines.sweep();
    reap();
  }

  std::string exchange(std::string_view request) {
    stream.send(request);
    reap();
    return stream.take();
  }
};

inline std::string get(std::string_view path, std::string_view lines = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

inline std::string post(std::string_view path, std::size_t bytes) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) +
         "\r\n\r\n" + std::string(bytes, 'b');
}

inline std::string ok(std::string_view body, std::string_view lines = "") {
  return "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Content-Type-Options: nosniff\r\n"
         "Content-Type: text/plain\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

inline bool is_answer_to_large(const std::string& answer) {
  return answer == ok("/large" + std::string(50'000, 'b'));
}

inline bool is_closing(const std::string& answer) {
  return answer.find("Connection: close\r\n") != std::string::npos;
}

inline std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

}  // namespace roomcast::http::test
