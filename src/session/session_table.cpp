#include "session/session_table.h"

#include <utility>

#include "session/direct_message.h"

namespace roomcast::session {

SessionTable::~SessionTable() { abort_all(); }

base::SlotId SessionTable::open(std::unique_ptr<Transport> transport, const dialect::Dialect& dialect,
                                const Options& options) {
  const WireEncoder& encoder = encoder_for(dialect, transport->framing());
  auto made = std::make_unique<Session>(*this, std::move(transport), encoder);
  Session& session = *made;
  const base::SlotId id = sessions_.insert(std::move(made));
  ++stats_.opened;
  session.open(id, options);
  return id;
}

std::size_t SessionTable::close_some(std::size_t count, base::CloseReason reason) {
  std::size_t closed = 0;
  sessions_.for_each([&](base::SlotId, const std::unique_ptr<Session>& session) {
    if (closed == count || session->has_begun_to_close()) return;
    session->close(reason, "");
    ++closed;
  });
  return closed;
}

void SessionTable::abort_all() {
  sessions_.for_each([](base::SlotId, const std::unique_ptr<Session>& session) {
    session->transport().abort();
    session->on_closed(base::CloseReason::close_timeout);
  });
}

void SessionTable::close_if(std::function<std::optional<base::Refusal>(const Session&)> check) {
  sweep([check = std::move(check)](Session& session) {
    if (const auto refusal = check(session)) session.close(*refusal);
  });
}

std::size_t SessionTable::count_of_user(access::Kind kind, std::string_view id) const {
  std::size_t count = 0;
  users_.for_each(kind, id, [&](const UserIndex::Entry& /*entry*/) { ++count; });
  return count;
}

std::optional<base::Refusal> SessionTable::check_connection(const access::Identity& identity) const {
  // They are counted only where there is a limit, which bounds what that takes.
  const bool is_counted = identity.kind() == access::Kind::user && service_.counts_connections();
  return service_.check_connection(identity,
                                   is_counted ? count_of_user(access::Kind::user, identity.id()) : 0);
}

void SessionTable::watch_expiries() {
  if (!expiries_due_.is_set()) expiries_due_.set_in(Credential::recheck_ms);
}

void SessionTable::ExpiryWatch::on_deadline() {
  table.sweep([](Session& session) { session.recheck_expiry(); });
}

std::size_t SessionTable::send_to_user(std::string_view user, DirectMessage& message) {
  std::size_t reached = 0;
  for_user(access::Kind::user, user,
           [&](Session& session) { reached += session.send_direct(message) ? 1 : 0; });
  return reached;
}

Session* SessionTable::find(base::SlotId id) {
  const auto* found = sessions_.find(id);
  return found == nullptr ? nullptr : found->get();
}

std::uint32_t SessionTable::monotonic_seconds() const {
  return static_cast<std::uint32_t>(clock_.monotonic_ms() / 1000);
}

void SessionTable::on_session_closed(base::SlotId id, const Transport& transport, const Ended& ended) {
  ++stats_.closed.at(static_cast<std::size_t>(ended.reason));
  log_.info("connection closed", {{"peer", transport.peer_address()},
                                  {"transport", transport.name()},
                                  {"dialect", ended.dialect},
                                  base::LogField::if_any("room", ended.room),
                                  base::LogField::if_any("name", ended.name),
                                  base::LogField::if_any("identity", ended.principal),
                                  {"seconds", monotonic_seconds() - ended.opened_s},
                                  {"messages_in", ended.traffic.messages_in},
                                  {"bytes_in", ended.traffic.bytes_in},
                                  {"bytes_out", ended.traffic.bytes_out},
                                  {"code", transport.close_code()},
                                  {"reason", base::describe(ended.reason).name}});
  scheduler_.free_later(sessions_.take(id));
}

const WireEncoder& SessionTable::encoder_for(const dialect::Dialect& dialect, const Framing& framing) {
  for (const auto& encoder : encoders_) {
    if (&encoder->dialect() == &dialect && &encoder->framing() == &framing) return *encoder;
  }
  return *encoders_.emplace_back(std::make_unique<WireEncoder>(dialect, framing));
}

}  // namespace roomcast::session
