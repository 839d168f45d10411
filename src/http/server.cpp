#include "http/server.h"

#include <utility>

namespace roomcast::http {

Server::Server(Handler& handler, const base::Clock& clock, base::Deadlines& deadlines,
               base::Scheduler& scheduler, base::Log& log, const ParserLimits& limits,
               const ConnectionSettings& settings)
    : environment_{*this, handler, clock, deadlines, scheduler, log, limits, settings} {}

void Server::accept(std::unique_ptr<net::ByteStream> stream, net::Admission admission,
                    const net::Peer& peer) {
  const base::SlotId id = connections_.insert(nullptr);
  auto connection =
      std::make_unique<Connection>(environment_, id, std::move(stream), std::move(admission), peer);
  Connection& started = *connection;
  *connections_.find(id) = std::move(connection);
  started.start();
}

std::string_view Server::client_address(base::SlotId id) {
  const Deferred* const deferred = exchanges_.find(id);
  return deferred == nullptr ? std::string_view{} : deferred->connection->client_address();
}

void Server::respond(base::SlotId id, Response response) {
  const Deferred deferred = exchanges_.take(id);
  if (deferred.connection != nullptr) deferred.connection->answer(std::move(response));
}

bool Server::resume(base::SlotId id, const std::function<void(RequestContext&)>& change) {
  const Deferred deferred = exchanges_.take(id);
  if (deferred.connection == nullptr) return false;
  deferred.connection->resume(change);
  return true;
}

std::optional<HandOver> Server::take_over(base::SlotId id, std::string_view head) {
  const Deferred deferred = exchanges_.take(id);
  if (deferred.connection == nullptr) return std::nullopt;
  return deferred.connection->take_over_deferred(head);
}

void Server::drain() {
  environment_.draining = true;
  connections_.for_each([](base::SlotId, std::unique_ptr<Connection>& connection) { connection->drain(); });
}

void Server::on_ended(base::SlotId id) { environment_.scheduler.free_later(connections_.take(id)); }

base::SlotId Server::defer_answer(Connection& connection, ClientWatch* watch, base::SlotId waiter) {
  return exchanges_.insert({&connection, watch, waiter});
}

void Server::forget_answer(base::SlotId exchange) {
  const Deferred forgotten = exchanges_.take(exchange);
  if (forgotten.watch != nullptr) forgotten.watch->on_client_gone(forgotten.waiter);
}

}  // namespace roomcast::http
