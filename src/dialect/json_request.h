#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_reader.h"
#include "dialect/dialect.h"

namespace roomcast::dialect {

inline constexpr std::size_t json_request_depth_max = 64;  // where nothing else is set
inline constexpr std::size_t json_request_members_max = 64;
inline constexpr std::size_t json_request_id_bytes_max = 64;

/// One request of roomcast.v1. Of members with the same name the last one counts; unknown ones are ignored;
/// null is the same as absent, except for `data`.
class JsonRequest {
 public:
  /// `text` is valid JSON and outlives the request.
  explicit JsonRequest(std::string_view text);

  /// Hands the command to `handler`, or the error if it is not a valid request.
  void run(CommandHandler& handler);
  /// Answers with this refusal, with the id of the request.
  void refuse(const base::Refusal& refusal, CommandHandler& handler) const;

 private:
  enum class Name : std::uint8_t {
    id,
    type,
    room,
    since,
    history,
    presence,
    data,
    data_base64,
    key,
    limit,
    event,
    tags,
    token,
    count_
  };
  struct Type {
    std::string_view name;
    Command (JsonRequest::*read)();
  };
  static const std::array<Type, 7> types;

  void collect(const base::JsonValue& object);
  void check_id();
  [[nodiscard]] std::optional<base::JsonValue> find(Name name) const;
  /// Records a refusal; the first one is reported.
  void fail(base::Refusal::Code code, base::RefusalMessage message);

  // Each reads one member, or records a refusal if its value is not valid.
  std::optional<std::string_view> room();
  std::optional<hub::Position> since();
  std::optional<std::size_t> whole(Name name, base::RefusalMessage otherwise);
  bool presence();
  std::optional<std::string_view> key();
  void read_payload(Publish& command);

  Command subscribe();
  Command unsubscribe();
  Command publish();
  Command ask_presence();
  Command ask_history();
  Command ping();
  Command authenticate();

  std::array<std::optional<base::JsonValue>, static_cast<std::size_t>(Name::count_)> members_;
  RequestId id_;
  std::optional<base::Refusal> refusal_;
  std::string room_;
  std::string key_;
  std::string payload_;
  std::string token_;
};

}  // namespace roomcast::dialect
