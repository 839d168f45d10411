#include "dialect/json.h"

#include <string>

#include "base/json.h"
#include "dialect/event_json.h"
#include "dialect/json_request.h"
#include "dialect/message_json.h"

namespace roomcast::dialect {

namespace {

/// `text` may be deeper than is allowed, but must be valid: it is only asked for its id.
void refuse_depth(std::string_view text, std::size_t depth_max, Commands& commands) {
  const std::string message = "a request must be nested at most " + std::to_string(depth_max) +
                              " deep, one more than limits.json_depth";
  JsonRequest(text).refuse("bad_request", message, commands);
}

}  // namespace

void Json::decode(Form form, std::string_view bytes, Commands& commands) const {
  if (form == Form::binary) {
    return commands.fail(base::CloseReason::unsupported_data, "roomcast.v1 takes text messages only");
  }
  using Verdict = base::JsonVerdict;
  Verdict verdict = base::judge_json(bytes, depth_max_);
  const bool is_too_deep = verdict == Verdict::too_deep;
  if (is_too_deep) verdict = base::judge_json(bytes);
  if (verdict == Verdict::broken) {
    return commands.fail(base::CloseReason::invalid_data, "a message must be one JSON object");
  }
  if (is_too_deep) {
    return refuse_depth(verdict == Verdict::valid ? bytes : "{}", depth_max_, commands);
  }
  JsonRequest(bytes).run(commands);
}

Encoded Json::encode(std::string_view room, const hub::Message& message, std::string& space) const {
  append_message_json(space, room, message);
  return {Form::text, space};
}

std::optional<Form> Json::encode(const Event& event, std::string& out) const {
  append_event_json(out, event);
  return Form::text;
}

}  // namespace roomcast::dialect
