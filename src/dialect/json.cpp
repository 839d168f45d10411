#include "dialect/json.h"

#include <string>

#include "base/json.h"
#include "dialect/event_json.h"
#include "dialect/json_request.h"
#include "dialect/message_json.h"

namespace roomcast::dialect {

namespace {

/// `text` may be deeper than is allowed, but must be valid: it is only asked for its id.
void refuse_depth(std::string_view text, std::size_t depth_max, CommandHandler& handler) {
  const std::string message = "a request must be nested at most " + std::to_string(depth_max) +
                              " deep, one more than limits.json_depth";
  JsonRequest(text).refuse(base::bad_request(message), handler);
}

}  // namespace

void Json::decode(PayloadForm form, std::string_view bytes, CommandHandler& handler) const {
  if (form == PayloadForm::binary) {
    return handler.fail(base::CloseReason::unsupported_data, "roomcast.v1 takes text messages only");
  }
  using Verdict = base::JsonVerdict;
  Verdict verdict = base::judge_json(bytes, depth_max_);
  const bool is_too_deep = verdict == Verdict::too_deep;
  if (is_too_deep) verdict = base::judge_json(bytes);
  if (verdict == Verdict::broken) {
    return handler.fail(base::CloseReason::invalid_data, "a message must be one JSON object");
  }
  if (is_too_deep) {
    return refuse_depth(verdict == Verdict::valid ? bytes : "{}", depth_max_, handler);
  }
  JsonRequest(bytes).run(handler);
}

void Json::encode(std::string_view room, const hub::Message& message, PayloadWriter& out) const {
  std::string json;
  append_message_json(json, room, message);
  out.write(PayloadForm::text, json);
}

bool Json::encode(const Event& event, PayloadWriter& out) const {
  std::string json;
  append_event_json(json, event);
  out.write(PayloadForm::text, json);
  return true;
}

}  // namespace roomcast::dialect
