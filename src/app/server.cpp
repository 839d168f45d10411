#include "app/server.h"

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/checks.h"
#include "app/connection_limits.h"
#include "app/parts.h"
#include "auth/url_keys.h"
#include "base/digest.h"
#include "config/reload.h"
#include "part/settings.h"
#include "transport/room_entry.h"

namespace roomcast::app {

namespace {

// Long enough to serve a few hundred clients, short enough for no noticeable delay: an answer may take two
// turns, a handshake three.
constexpr std::int64_t turn_box_us = 2000;
constexpr std::string_view signed_out = "signed out";
constexpr std::int64_t deadline_interval_ms = 50;
constexpr std::int64_t compressing_most_us = 5'000;
constexpr std::int64_t notice_retry_ms = 100;
constexpr std::int64_t one_request_ms = 1'000;

}  // namespace

Server::Server(config::Sources sources, config::Loaded loaded)
    : sources_(std::move(sources)),
      config_(std::move(loaded.config)),
      log_(config_.log.level, config_.log.format),
      memory_ceiling_(memory_ceiling("/", resource_limits())),
      descriptors_(descriptor_limit()),
      turn_(loop_, turn_box_us),
      deadlines_(loop_, deadline_interval_ms),
      compressing_(loop_, compressing_most_us),
      sweep_(loop_, deadlines_),
      sockets_(loop_),
      admissions_(connection_limits(config_, descriptors_).admission, &loop_),
      linger_(turn_, deadlines_, {}),
      tls_(turn_, deadlines_),
      storage_({loop_, turn_, deadlines_, sockets_, tls_, log_}, config_),
      hub_({storage_.engine(), turn_, loop_, deadlines_}, part::hub_limits(config_),
           part::memory_rules(config_)),
      publisher_(hub_, turn_, loop_, deadlines_, static_cast<std::size_t>(config_.limits.idempotency_bytes)),
      accounts_(loop_, log_),
      fetch_(loop_, sockets_.poller, deadlines_, turn_, {}),
      authenticator_({access_, loop_, turn_, log_,
                      [this](const std::string& url, jose::AlgorithmSet algorithms) {
                        return std::make_unique<auth::UrlKeys>(
                            auth::UrlKeys::Parts{fetch_, deadlines_, turn_, log_}, url, algorithms);
                      }}),
      rooms_(hub_, publisher_, access_, part::service_limits(config_)),
      sessions_(rooms_, turn_, loop_, log_, deadlines_, part::session_settings(config_)),
      preambles_(sockets_.poller, turn_, deadlines_, log_, config_.http.head_timeout_ms),
      entrance_(log_),
      http_(entrance_.router(), loop_, deadlines_, turn_, log_, part::parser_limits(config_),
            part::connection_settings(config_)),
      memory_guard_({loop_, hub_, admissions_, log_, parts_}),
      certificates_(loop_, log_),
      listeners_({loop_, sockets_, admissions_, trusted_proxies_, listener_stats_, log_, *this}, tls_,
                 preambles_),
      drain_(loop_, parts_, http_, sessions_, log_),
      reload_pace_(loop_, loop_, *this),
      on_terminate_(loop_, SIGTERM, *this),
      on_interrupt_(loop_, SIGINT, *this),
      on_hang_up_(loop_, SIGHUP, *this),
      on_user_1_(loop_, SIGUSR1, *this),
      on_user_2_(loop_, SIGUSR2, *this),
      watchdog_(loop_, *this),
      notices_(loop_, *this),
      drain_delay_(loop_, *this) {
  sources_.is_reload = true;
  log_.set_level(config_.log.level);
  log_sources(loaded);
  authenticator_.set_accounts(accounts_);
  turn_.set_deferred_writes(sockets_.deferred_sends);
  turn_.add_work(hub_);
  turn_.add_work(authenticator_);
  turn_.add_work(memory_guard_);
  access_.rates.set_clock(loop_);
  access_.rates.set_exempt([this](std::string_view address) { return trusted_proxies_.contains(address); });
  access_.refused.set_log(log_, loop_);
  entrance_.gate().set_rates(access_.rates);
  entrance_.attach(http_);
  entrance_.set_authenticator(authenticator_, http_);
  accounts_.set_on_sign_out([this](const access::Profile& profile) {
    sessions_.for_user(profile.kind, profile.id, [&profile](session::Session& session) {
      if (session.identity().token_id() == profile.token_id)
        session.close(base::CloseReason::unauthorized, signed_out);
    });
    part::reconsider_clients(parts_, [token = profile.token_id](const access::Identity& identity) {
      return identity.proof() == access::Proof::cookie && identity.token_id() == token
                 ? std::optional(base::Refusal{base::Refusal::Code::token_revoked, std::string(signed_out)})
                 : std::nullopt;
    });
  });
  http_.set_refusal_tally(access_.refused);
  http_.set_trusted_proxy([this](std::string_view address) { return trusted_proxies_.contains(address); });
  http_.set_refusal_form([this](const http::Request& request, http::Response& response) {
    transport::form_refusal(request, response, transports_);
  });
  if (auto* const store = storage_.store()) kept_sanctions_.emplace(*store, access_.sanctions, loop_, log_);
  if (storage_.redis() != nullptr) {
    const InternalRoom::Parts room{hub_, turn_, deadlines_};
    shared_sanctions_.emplace(SharedSanctions::Parts{room, access_.sanctions, loop_, log_});
    commands_.emplace(RoomCommandBus::Parts{room, loop_, log_}, base::random_u64());
  }
  make_parts();
}

Server::~Server() {
  // The clients that are left end while everything that they refer to still exists.
  listeners_.close();
  for (const auto& part : parts_)
    part->abort_all();
  loop_.run_turn_without_waiting();
  turn_.reap_all();
  storage_.close();
}

std::optional<base::Error> Server::run(const std::vector<InheritedSocket>& inherited) {
  if (storage_.error()) return storage_.error();
  auto certificates = load_certificates(config_);
  if (!certificates) return certificates.error();
  if (auto error = load_parts(config_)) return error;
  apply(config_);
  log_limits();
  watch_certificates(*certificates);
  if (!inherited.empty()) log_.info("the service manager holds the listening sockets: listen is not used");
  if (auto error = listeners_.open(config_, inherited, std::move(*certificates))) return error;
  for (const std::string& warning : access_warnings(config_, listeners_.urls()))
    log_.warn(warning);
  for (const std::string& warning : store_warnings(config_))
    log_.warn(warning);
  if (shared_sanctions_) shared_sanctions_->start();
  if (commands_) commands_->start();
  for (const std::string& warning : redis_warnings(config_))
    log_.warn(warning);
  announce_readiness();
  log_.write_once_a_turn(turn_, deadlines_);
  loop_.run();
  log_.write_at_once();
  storage_.close();
  log_.info("stopped");
  return std::nullopt;
}

void Server::log_sources(const config::Loaded& loaded) {
  if (const auto hint = service_variables_hint(loaded.service_variables)) log_.info(*hint);
}

void Server::announce_readiness() {
  if (listeners_.admin_urls().empty()) {
    log_.info("ready", {{"version", version}, base::LogField::whole("listen", listeners_.urls())});
  } else {
    log_.info("ready", {{"version", version},
                        base::LogField::whole("listen", listeners_.urls()),
                        base::LogField::whole("admin_listen", listeners_.admin_urls())});
  }
  service_manager_.ready(listeners_.urls());
  send_notices_later();
  if (const auto interval = service_manager_.watchdog_interval_ms()) watchdog_.start_every(*interval);
}

void Server::on_connection(std::unique_ptr<net::ByteStream> stream, net::Peer peer,
                           net::Admission admission) {
  http_.accept(std::move(stream), std::move(admission), peer);
}

bool Server::may_connect(std::string_view address) {
  return !access_.rates.take({{}, address}, access::one_of(access::Resource::connects));
}

void Server::on_timer(loop::Timer& timer) {
  if (&timer == &drain_delay_) return begin_drain();
  if (&timer == &watchdog_) {
    service_manager_.feed_watchdog();
  } else {
    service_manager_.send_unsent();
  }
  send_notices_later();
}

void Server::send_notices_later() {
  if (service_manager_.has_unsent() && !notices_.is_active()) notices_.start_once(notice_retry_ms);
}

void Server::on_signal(int number) {
  if (number == SIGHUP) return reload_pace_.ask();
  if (number == SIGUSR1 || number == SIGUSR2) {
    return log_.info("signal without a meaning here: SIGHUP reloads, SIGTERM ends", {{"signal", number}});
  }
  const std::int64_t now_ms = loop_.monotonic_ms();
  if (stop_asked_ms_) {
    // A terminal and what started the server (npm, a shell) both send one: they mean the same.
    if (now_ms - *stop_asked_ms_ < one_request_ms) return;
    log_.warn("second signal: stopping at once", {{"clients", sessions_.size()}});
    return loop_.stop();
  }
  stop_asked_ms_ = now_ms;
  reload_pace_.stop();
  for (const auto& part : parts_)
    part->on_stopping();
  log_.info("stopping", {{"signal", number},
                         {"drain_delay_seconds", static_cast<double>(config_.drain_delay_ms) / 1000},
                         {"drain_seconds", static_cast<double>(config_.drain_ms) / 1000}});
  service_manager_.stopping(config_.drain_delay_ms > 0 ? "serving on until load balancers look elsewhere"
                                                       : "draining");
  send_notices_later();
  if (config_.drain_delay_ms == 0) return begin_drain();
  drain_delay_.start_once(config_.drain_delay_ms);
}

void Server::begin_drain() {
  listeners_.close();
  drain_.begin(config_.drain_ms, config_.websocket.close_timeout_ms);
}

void Server::make_parts() {
  const Core core{
      .turn = turn_,
      .log = log_,
      .admissions = admissions_,
      .listeners = listener_stats_,
      .trusted_proxies = trusted_proxies_,
      .preambles = preambles_,
      .tls = tls_,
      .linger = linger_,
      .http = http_,
      .storage = storage_,
      .hub = hub_,
      .publisher = publisher_,
      .access = access_,
      .accounts = accounts_,
      .fetch = fetch_,
      .authenticator = authenticator_,
      .rooms = rooms_,
      .sessions = sessions_,
      .entrance = entrance_,
      .dialects = dialects_,
      .memory_guard = memory_guard_,
      .reloads = reloads_,
      .certificates = certificates_,
      .memory_ceiling = memory_ceiling_,
      .descriptors = descriptors_,
  };
  const part::Context context{
      .config = config_,
      .version = version,
      .clock = loop_,
      .scheduler = turn_,
      .deadlines = deadlines_,
      .compressing = compressing_,
      .log = log_,
      .linger = linger_,
      .responses = http_,
      .access = access_,
      .accounts = accounts_,
      .rooms = rooms_,
      .sessions = sessions_,
      .dialects = dialects_.offered(),
      .transports = transports_,
      .parts = parts_,
      .commands = commands_ ? &*commands_ : nullptr,
      .shared_sanctions = shared_sanctions_ ? &*shared_sanctions_ : nullptr,
  };
  app::make_parts(core, context, parts_);
  part::Routes routes = entrance_.routes(config_.confine_operations);
  for (const auto& part : parts_) {
    part->add_routes(routes);
    part->add_transports(transports_);
  }
}

std::optional<base::Error> Server::load_parts(const config::Config& config) {
  for (const auto& part : parts_) {
    if (auto error = part->load(config)) return error;
  }
  return std::nullopt;
}

void Server::apply(const config::Config& config) {
  for (const auto& part : parts_)
    part->apply(config);
}

void Server::watch_certificates(const std::shared_ptr<const net::TlsContext>& certificates) {
  certificates_.watch(certificates ? certificates->expiries() : std::vector<net::TlsContext::Expiry>());
}

void Server::log_limits() {
  const MemoryPlan memory = plan_memory(config_, memory_ceiling_);
  log_.info("memory limit", {{"limits.memory_bytes", memory.memory_bytes},
                             {"from", memory.is_automatic ? memory_ceiling_.from : "configuration"},
                             {"available_bytes", memory_ceiling_.bytes},
                             {"history.total_bytes", memory.history_bytes},
                             {"limits.address_memory_bytes", memory.address_memory_bytes}});
  if (memory.is_past_ceiling) {
    log_.warn("limits.memory_bytes is more than there is: the system may end the process before that",
              {{"limits.memory_bytes", memory.memory_bytes},
               {"available_bytes", memory_ceiling_.bytes},
               {"from", memory_ceiling_.from}});
  }
  const ConnectionLimits connections = connection_limits(config_, descriptors_);
  if (connections.short_of_descriptors) {
    log_.warn("the descriptor limit (RLIMIT_NOFILE) is too low for limits.connections",
              {{"RLIMIT_NOFILE", descriptors_},
               {"limits.connections", config_.limits.connections},
               {"effective", connections.admission.connections}});
  }
}

void Server::on_reload_due() {
  service_manager_.reloading("reloading");
  reloads_.last_succeeded = reload();
  ++(reloads_.last_succeeded ? reloads_.succeeded : reloads_.refused);
  service_manager_.ready(reloads_.last_succeeded
                             ? listeners_.urls()
                             : "the last reload was refused, see the log; " + listeners_.urls());
  send_notices_later();
}

bool Server::reload() {
  if (sources_.text_read_once) {
    log_.warn("the configuration is no regular file: its settings stay as they were read at the start",
              {base::LogField::whole("file", *sources_.file)});
  }
  const auto loaded = config::load(sources_);
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) {
      log_.error("reload refused",
                 {base::LogField::whole("where", error.where), base::LogField::whole("problem", error.what)});
    }
    return false;
  }
  if (const auto error = take_over(*loaded)) {
    log_.error("reload refused", {base::LogField::whole("problem", error->message)});
    return false;
  }
  return true;
}

std::optional<base::Error> Server::take_over(const config::Loaded& loaded) {
  // Certificates are read anew even if no key has changed: the files may have.
  auto certificates = load_certificates(loaded.config);
  if (!certificates) return certificates.error();
  if (auto error = load_parts(loaded.config)) return error;
  for (const config::Change& change : config::changes(config_, loaded.config)) {
    log_.info(change.needs_restart() ? "setting changed, takes effect after a restart" : "setting changed",
              {{"key", change.setting->name},
               base::LogField::whole("before", change.before),
               base::LogField::whole("after", change.after)});
  }
  watch_certificates(*certificates);
  listeners_.set_certificates(std::move(*certificates));
  config_ = config::merge_reloadable(config_, loaded.config);
  apply(config_);
  sessions_.reconsider_rights();
  sessions_.close_if(
      [this](const session::Session& session) { return authenticator_.check_again(session.identity()); });
  part::reconsider_clients(
      parts_, [this](const access::Identity& identity) { return authenticator_.check_again(identity); });
  log_.info("reloaded");
  return std::nullopt;
}

}  // namespace roomcast::app
