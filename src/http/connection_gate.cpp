// The decisions of the gate about requests, its additions to responses, and requests that reach no handler.
#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "base/memory.h"
#include "http/connection.h"

namespace roomcast::http {

void Connection::on_head() {
  admission_.stop_waiting();
  // The rest of the request would not change the response.
  if (admission_.lane() == net::Lane::refusals) return dispatch();
  enter(Phase::body);
  // If input follows, the client did not wait and is sending the body already.
  if (parser_->wants_continue() && input_.empty()) {
    queue_.push(base::Bytes::copy_of("HTTP/1.1 100 Continue\r\n\r\n"));
  }
}

void Connection::handle_request() {
  const auto objection = environment_.gate == nullptr ? std::nullopt : environment_.gate->objection(request_);
  if (!objection) return handler().handle(*this, {});
  environment_.log.warn("request refused", {{"peer", request_.client.address},
                                            {"host", request_.headers.get("Host").value_or("")},
                                            {"path", request_.path},
                                            {"reason", objection->message.view()}});
  respond(Response::error(*objection));
}

base::SlotId Connection::wait_for_gate() {
  at_gate_ = true;
  const std::size_t bytes = request_.body.capacity() + request_.headers.held_bytes();
  held_ = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
  return defer();
}

void Connection::resume(const std::function<void(RequestContext&)>& change) {
  exchange_ = {};
  held_ = 0;
  change(context_);
  environment_.scheduler.mark_deferred(*this);
}

/// Handles the request that waited for the gate.
void Connection::handle_anew() {
  at_gate_ = false;
  handle_request_surely();
  if (phase_ == Phase::ended) return;
  settle();
  if (phase_ != Phase::ended && is_reading() && !backlog_.empty()) resume_work();
}

Handler& Connection::handler() const {
  const net::Lane lane = admission_.lane();
  if (lane == net::Lane::reserve && environment_.reserve != nullptr) return *environment_.reserve;
  if (lane == net::Lane::refusals && environment_.refusals != nullptr) return *environment_.refusals;
  if (lane == net::Lane::operations && environment_.operations != nullptr) return *environment_.operations;
  return environment_.handler;
}

std::int64_t Connection::head_ms() const {
  const ConnectionSettings& settings = environment_.settings;
  const bool is_refused = admission_.lane() == net::Lane::refusals;
  return is_refused ? std::min(settings.head_ms, settings.refused_head_ms) : settings.head_ms;
}

void Connection::note_context(const Request& request) {
  context_ = environment_.gate == nullptr ? RequestContext{} : environment_.gate->context_of(request);
}

void Connection::add_gate_fields(Headers& headers) const {
  if (environment_.gate != nullptr) environment_.gate->complete(request_, context_, headers);
}

/// A page can exceed these limits, and its browser sends Origin somewhere after the request line.
bool Connection::should_wait_for_origin() const {
  const int status = base::describe(parser_->problem().code).http;
  return (status == 414 || status == 431) && !peer_ended_ && parser_->may_find_origin() &&
         environment_.gate != nullptr && environment_.gate->has_readers();
}

void Connection::wait_for_origin() {
  if (std::exchange(refusal_waits_, true)) return;
  enter(Phase::head);
  deadline_.set_in(environment_.settings.late_head_ms);
}

void Connection::complete(const Request& request, Response& response) {
  if (response.refusal && environment_.refused != nullptr) {
    const std::string_view client = request.client.address;
    environment_.refused->note(*response.refusal, client.empty() ? peer_address() : client,
                               context_.identity.principal_text());
  }
  if (response.status >= 400 && environment_.refusal_form) environment_.refusal_form(request, response);
  if (environment_.gate != nullptr) environment_.gate->complete(request, context_, response.headers);
  context_ = {};
}

void Connection::refuse(const base::Refusal& refusal) {
  environment_.log.info("http request refused", {{"peer", peer_address()},
                                                 {"status", base::describe(refusal.code).http},
                                                 {"reason", refusal.message.view()}});
  if (refusal.code != base::Refusal::Code::request_timeout) ++environment_.stats.bad_requests;
  refusal_waits_ = false;
  base::release(request_);
  request_.method = parser_->request().method;  // a response to HEAD has no body even then
  Response response = Response::error(refusal);
  note_context(parser_->request());
  complete(parser_->request(), response);
  write(response, false);
  enter(Phase::closing);
}

}  // namespace roomcast::http
