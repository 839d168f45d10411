#include "ws/fault.h"

#include <array>
#include <cstddef>

namespace roomcast::ws {

namespace {

constexpr std::array<FaultInfo, static_cast<std::size_t>(Fault::count_)> table{{
    {CloseCode::internal_error, ""},
    {CloseCode::protocol_error, "reserved bits are set that no negotiated extension defines"},
    {CloseCode::protocol_error, "reserved opcode"},
    {CloseCode::protocol_error, "client frame is not masked"},
    {CloseCode::protocol_error, "fragmented control frame"},
    {CloseCode::protocol_error, "control frame payload is over 125 bytes"},
    {CloseCode::protocol_error, "payload length is not encoded in the fewest bytes"},
    {CloseCode::protocol_error, "payload length is over 2^63-1"},
    {CloseCode::protocol_error, "continuation frame without a message to continue"},
    {CloseCode::protocol_error, "new message before the end of a fragmented one"},
    {CloseCode::protocol_error, "close frame with a payload of one byte"},
    {CloseCode::protocol_error, "close code that may not be sent"},
    {CloseCode::invalid_data, "close reason is not valid UTF-8"},
    {CloseCode::invalid_data, "text message is not valid UTF-8"},
    {CloseCode::invalid_data, "compressed message is not valid DEFLATE data"},
    {CloseCode::message_too_big, "message is larger than limits.message_bytes"},
    {CloseCode::message_too_big, "message has more frames than limits.fragments"},
}};

}  // namespace

const FaultInfo& describe(Fault fault) { return table.at(static_cast<std::size_t>(fault)); }

}  // namespace roomcast::ws
