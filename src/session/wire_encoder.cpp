#include "session/wire_encoder.h"

#include "hub/presence_update.h"

namespace roomcast::session {

namespace {

dialect::Event event_of(std::string_view room, const hub::PresenceChange& change) {
  using What = hub::PresenceChange::What;
  switch (change.what) {
    case What::joined:
      return dialect::MemberJoined{room, change.name.view()};
    case What::left:
      return dialect::MemberLeft{room, change.name.view()};
    case What::counted:
    case What::listed:
      break;
  }
  return dialect::PresenceCount{room, change.snapshot};
}

}  // namespace

std::size_t WireEncoder::encode(std::string_view room, const hub::Message& message, std::string& out) const {
  std::string space;
  const dialect::Encoded payload = dialect_.encode(room, message, space);
  return framing_.frame({payload.form, payload.bytes, {}, message.position}, out);
}

void WireEncoder::encode_presence(std::string_view room, const hub::PresenceChange& change,
                                  std::string& out) const {
  encode_event(event_of(room, change), std::nullopt, false, out);
}

bool WireEncoder::encode_event(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                               bool for_one, std::string& out) const {
  if (!dialect_.has_envelope() && !framing_.names_events()) return false;
  std::string payload;
  const auto form = dialect_.encode(event, payload);
  if (!form) return false;
  framing_.frame({*form, payload, dialect_.event_name(event), cursor, for_one}, out);
  return true;
}

}  // namespace roomcast::session
