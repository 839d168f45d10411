#include "transport/stream_framing.h"

#include <algorithm>

#include "base/digest.h"
#include "hub/cursor.h"
#include "transport/compressing.h"

namespace roomcast::transport {

StreamFraming::StreamFraming(const StreamContent& content, const BodyCoding& coding,
                             base::TimeBudget& compressing)
    : content_(content), coding_(coding), compressing_(compressing) {
  std::string wire;
  coding_.append(content.heartbeat(), wire);
  heartbeat_ = base::Bytes::copy_of(wire);
  wire.clear();
  coding_.append_end(wire);
  end_ = base::Bytes::copy_of(wire);
}

std::size_t StreamFraming::frame(const session::OutgoingPayload& payload, std::string& out) const {
  std::string content;
  content_.frame(payload, content);
  const bool is_compressed =
      coding_.compresses() && content.size() <= compressed_bytes_max && has_time_for(compressing_, payload);
  if (!is_compressed) {
    coding_.append_stored(content, out);
    return 0;
  }
  compressing_.spend_on([&] { coding_.append(content, out); });
  return content.size();
}

base::Bytes StreamFraming::start(std::string_view opening) const {
  std::string wire;
  coding_.append_start(wire);
  coding_.append(opening, wire);
  return base::Bytes::copy_of(wire);
}

const StreamFraming& StreamFramings::for_form(const StreamForm& form) {
  const bool is_chunked = form.length == BodyCoding::Length::chunked;
  auto& framing = made_.at((is_chunked ? 2U : 0U) + (form.gzip ? 1U : 0U));
  if (!framing) {
    if (form.gzip && !deflater_) deflater_ = std::make_unique<ws::Deflater>(ws::DeflaterSettings{});
    const BodyCoding coding(form.length, form.gzip ? deflater_.get() : nullptr);
    framing = std::make_unique<StreamFraming>(content_, coding, compressing_);
  }
  return *framing;
}

}  // namespace roomcast::transport
