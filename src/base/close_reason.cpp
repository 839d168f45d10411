#include "base/close_reason.h"

#include <array>
#include <cstddef>

namespace roomcast::base {

namespace {

constexpr std::array<CloseReasonInfo, static_cast<std::size_t>(CloseReason::count_)> table{{
    {"client_closed", 1000, "", false},
    {"connection_lost", 0, "", true},
    {"protocol_error", 1002, "protocol error", false},
    {"unsupported_data", 1003, "unsupported data", false},
    {"invalid_data", 1007, "invalid data", false},
    {"policy_violation", 1008, "refused", false},
    {"unauthorized", 3000, "unauthorized", true},
    {"forbidden", 3003, "forbidden", false},
    {"rate_limited", 1008, "too fast: see rates", true},
    {"message_too_big", 1009, "message too big", false},
    {"internal_error", 1011, "internal error", true},
    {"server_shutdown", 1012, "server restarts", true},
    {"slow_consumer", 1013, "too slow: limits.queue_bytes exceeded", true},
    {"overloaded", 1013, "overloaded, try again later", true},
    {"unavailable", 1013, "unavailable, try again later", true},
    {"ping_timeout", 1011, "no answer to ping", true},
    {"close_timeout", 0, "", false},
    {"gap", 4410, "messages are missing", true},
}};

}  // namespace

const CloseReasonInfo& describe(CloseReason reason) { return table.at(static_cast<std::size_t>(reason)); }

}  // namespace roomcast::base
