#include "session/wire_encoder.h"

#include "hub/amendment.h"
#include "hub/presence_update.h"

namespace roomcast::session {

namespace {

dialect::Event event_of(std::string_view room, const hub::PresenceChange& change) {
  using What = hub::PresenceChange::What;
  switch (change.what) {
    case What::joined:
      return dialect::MemberJoined{room, change.member.name(), change.member.principal()};
    case What::left:
      return dialect::MemberLeft{room, change.member.name(), change.member.principal()};
    case What::counted:
    case What::listed:
      break;
  }
  return dialect::PresenceCount{room, change.snapshot};
}

dialect::Event event_of(std::string_view room, const hub::Amendment& amendment) {
  using What = hub::Amendment::What;
  switch (amendment.what) {
    case What::removed:
      return dialect::MessageDeleted{room, amendment.message.position};
    case What::replaced:
      return dialect::MessageReplaced{room, &amendment.message};
    case What::cleared:
      break;
  }
  return dialect::RoomCleared{room, amendment.message.position};
}

}  // namespace

/// Frames each payload. A cursor goes with the last one of a message or event: a client that has it has all
/// of them.
class WireEncoder::Writer final : public dialect::PayloadWriter {
 public:
  Writer(const Framing& framing, const OutgoingPayload& pattern, std::string& out)
      : framing_(framing), pattern_(pattern), out_(out) {}

  void write(dialect::PayloadForm form, std::string_view bytes, bool more) override {
    OutgoingPayload payload = pattern_;
    payload.form = form;
    payload.bytes = bytes;
    if (more) payload.cursor.reset();
    compressed_bytes_ += framing_.frame(payload, out_);
  }
  [[nodiscard]] std::size_t compressed_bytes() const { return compressed_bytes_; }

 private:
  const Framing& framing_;
  const OutgoingPayload& pattern_;
  std::string& out_;
  std::size_t compressed_bytes_ = 0;
};

std::size_t WireEncoder::encode(std::string_view room, const hub::Message& message, std::string& out) const {
  const OutgoingPayload pattern{{}, {}, dialect_.event_name(message), message.position};
  Writer writer(framing_, pattern, out);
  dialect_.encode(room, message, writer);
  return writer.compressed_bytes();
}

void WireEncoder::encode_presence(std::string_view room, const hub::PresenceChange& change,
                                  std::string& out) const {
  encode_shared(event_of(room, change), out);
}

void WireEncoder::encode_amendment(std::string_view room, const hub::Amendment& amendment,
                                   std::string& out) const {
  encode_shared(event_of(room, amendment), out);
}

void WireEncoder::encode_shared(const dialect::Event& event, std::string& out) const {
  if (!can_send_events()) return;
  // Without a cursor: that of an amendment is older than what the client has.
  const OutgoingPayload pattern{{}, {}, dialect_.event_name(event), std::nullopt};
  Writer writer(framing_, pattern, out);
  dialect_.encode(event, writer);
}

bool WireEncoder::encode_event(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                               dialect::Conversation* conversation, std::string& out) const {
  return can_send_events() && encode_for_one(event, cursor, conversation, out);
}

bool WireEncoder::encode_direct(const dialect::Direct& direct, dialect::Conversation* conversation,
                                std::string& out) const {
  return encode_for_one(direct, std::nullopt, conversation, out);
}

bool WireEncoder::encode_for_one(const dialect::Event& event, const std::optional<hub::Position>& cursor,
                                 dialect::Conversation* conversation, std::string& out) const {
  const OutgoingPayload pattern{{}, {}, dialect_.event_name(event), cursor, true};
  Writer writer(framing_, pattern, out);
  return conversation != nullptr ? conversation->encode(event, writer) : dialect_.encode(event, writer);
}

}  // namespace roomcast::session
