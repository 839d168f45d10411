#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/dialect.h"

namespace roomcast::test {

/// Collects what a dialect writes.
struct PayloadList final : dialect::PayloadWriter {
  struct Payload {
    dialect::PayloadForm form = dialect::PayloadForm::text;
    std::string bytes;
    const char* address = nullptr;  ///< of the bytes that were written
    bool more = false;
  };
  void write(dialect::PayloadForm form, std::string_view bytes, bool more) override {
    payloads.push_back({form, std::string(bytes), bytes.data(), more});
  }
  /// The only payload; an empty text if there is not exactly one.
  [[nodiscard]] Payload only() const { return payloads.size() == 1 ? payloads.front() : Payload{}; }

  std::vector<Payload> payloads;
};

}  // namespace roomcast::test
