#include "fetch/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "fetch/easy_handle.h"
#include "fetch/multi_handle.h"

namespace roomcast::fetch {

/// A request under way: it waits, runs or has ended.
struct Transfer::State final : base::Deadline::Listener, EasyHandle::Owner {
  State(Transfer& of, base::Deadlines& deadlines, Request asked)
      : transfer(of), until(deadlines, *this), request(std::move(asked)), began_ms(deadlines.now_ms()) {}
  ~State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void on_deadline() override {
    const std::string ms = std::to_string(request.timeout_ms);
    transfer.client_->finish(transfer, Failure{Outcome::timed_out, "it waited for " + ms + " ms to be sent"});
  }
  void on_done(CURLcode code) override { transfer.client_->finish(transfer, easy->take_result(code)); }

  void send(const ClientOptions& options, std::int64_t now_ms) {
    until.clear();
    const std::int64_t left_ms = request.timeout_ms - (now_ms - began_ms);
    easy = std::make_unique<EasyHandle>(std::move(request), options, left_ms, *this);
  }

  Transfer& transfer;
  base::Deadline until;  // of waiting; once it runs, libcurl keeps the time
  Request request;       // until it runs
  std::int64_t began_ms;
  std::size_t waiting_bytes = 0;  // 0: it does not wait
  std::unique_ptr<EasyHandle> easy;
  bool is_running = false;
  std::optional<base::Result<Response, Failure>> result;
};

Transfer::Transfer(Client& client, Listener& listener) : client_(&client), listener_(listener) {
  client.idle_.push_back(*this);
}

Transfer::~Transfer() { cancel(); }

void Transfer::start(Request request) {
  cancel();
  if (client_ != nullptr) client_->start(*this, std::move(request));
}

void Transfer::cancel() {
  if (state_) client_->cancel(*this);
}

Client::Client(loop::Loop& loop, loop::Poller& poller, base::Deadlines& deadlines, base::Scheduler& scheduler,
               ClientOptions options)
    : loop_(loop),
      poller_(poller),
      deadlines_(deadlines),
      scheduler_(scheduler),
      options_(std::move(options)),
      lookup_end_(deadlines, *this) {}

Client::~Client() {
  scheduler_.forget(*this);
  for (Transfers* transfers : {&idle_, &waiting_, &running_, &finished_}) {
    while (Transfer* transfer = transfers->front()) {
      if (transfer->state_) release(*transfer);
      transfer->state_.reset();
      transfer->client_ = nullptr;
      transfer->unlink();
    }
  }
}

void Client::start(Transfer& transfer, Request request) {
  request.timeout_ms = std::clamp<std::int64_t>(request.timeout_ms, 1, Request::timeout_max_ms);
  auto objection = objection_to(request);
  transfer.state_ = std::make_unique<Transfer::State>(transfer, deadlines_, std::move(request));
  if (objection) return finish(transfer, Failure{Outcome::bad_request, std::move(*objection)});
  if (waiting_.empty() && has_room()) return run(transfer);
  const std::size_t bytes = held_bytes(transfer.state_->request);
  if (stats_.waiting >= options_.waiting || bytes > options_.waiting_bytes - stats_.waiting_bytes) {
    return finish(transfer, Failure{Outcome::overloaded, "too many requests are waiting"});
  }
  ++stats_.waiting;
  stats_.waiting_bytes += bytes;
  transfer.state_->waiting_bytes = bytes;
  transfer.state_->until.set_in(transfer.state_->request.timeout_ms);
  waiting_.push_back(transfer);
}

void Client::cancel(Transfer& transfer) {
  const bool has_ended = transfer.state_->result.has_value();
  if (!has_ended) ++stats_.ended[static_cast<std::size_t>(Outcome::cancelled)];
  release(transfer);
  transfer.state_.reset();
  idle_.push_back(transfer);
  if (!has_ended) run_waiting();
}

void Client::release(Transfer& transfer) {
  Transfer::State& state = *transfer.state_;
  state.until.clear();
  if (state.waiting_bytes > 0) {
    --stats_.waiting;
    stats_.waiting_bytes -= std::exchange(state.waiting_bytes, 0);
  }
  if (std::exchange(state.is_running, false)) {
    --stats_.running;
    if (state.easy->is_looking_up()) leave_lookup();
    multi_->remove(*state.easy);
  }
  state.easy.reset();
}

bool Client::has_room() const {
  return stats_.running < options_.transfers && left_lookups_.size() < options_.left_lookups;
}

void Client::leave_lookup() {
  left_lookups_.push_back(deadlines_.now_ms() + options_.lookup_ms);
  stats_.left_lookups = left_lookups_.size();
  if (!lookup_end_.is_set()) lookup_end_.set_in(options_.lookup_ms);
}

void Client::on_deadline() {
  const std::int64_t now_ms = deadlines_.now_ms();
  while (!left_lookups_.empty() && left_lookups_.front() <= now_ms)
    left_lookups_.pop_front();
  stats_.left_lookups = left_lookups_.size();
  if (!left_lookups_.empty()) lookup_end_.set_in(left_lookups_.front() - now_ms);
  run_waiting();
}

std::optional<Failure> Client::open() {
  if (multi_) return std::nullopt;
  auto made = MultiHandle::make(loop_, poller_, options_.idle_connections);
  if (!made) return Failure{Outcome::unavailable, std::move(made.error().message)};
  multi_ = std::move(*made);
  return std::nullopt;
}

void Client::run(Transfer& transfer) {
  if (auto failure = open()) return finish(transfer, std::move(*failure));
  release(transfer);  // its place in the queue
  Transfer::State& state = *transfer.state_;
  state.send(options_, deadlines_.now_ms());
  if (!state.easy->is_ready()) {
    return finish(transfer,
                  Failure{Outcome::unavailable, "libcurl lacks memory or an option that is needed"});
  }
  if (!multi_->add(*state.easy)) {
    return finish(transfer, Failure{Outcome::unavailable, "libcurl cannot begin a transfer"});
  }
  state.is_running = true;
  ++stats_.running;
  running_.push_back(transfer);
}

void Client::run_waiting() {
  while (!waiting_.empty() && has_room())
    run(*waiting_.front());
}

void Client::finish(Transfer& transfer, base::Result<Response, Failure> result) {
  const bool has_response = result.ok();
  const bool is_success = has_response && result->status >= 200 && result->status < 300;
  const Outcome outcome = is_success     ? Outcome::ok
                          : has_response ? Outcome::error_status
                                         : result.error().outcome;
  ++stats_.ended[static_cast<std::size_t>(outcome)];
  release(transfer);
  transfer.state_->result.emplace(std::move(result));
  finished_.push_back(transfer);
  scheduler_.mark_dirty(*this);
  run_waiting();
}

void Client::run_at_turn_end() {
  Transfer* transfer = finished_.front();
  if (transfer == nullptr) return;
  base::Result<Response, Failure> result = std::move(*transfer->state_->result);
  transfer->state_.reset();
  idle_.push_back(*transfer);
  if (!finished_.empty()) scheduler_.mark_dirty(*this);
  // Last: the listener may destroy the transfer, and the client.
  transfer->listener_.on_fetched(std::move(result));
}

}  // namespace roomcast::fetch
