#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/address_block.h"
#include "base/result.h"

namespace roomcast::net {

/// A list of address blocks (base::AddressBlock), or the word `unix` for peers of Unix sockets.
class CidrList {
 public:
  /// Adds the block `text`, or returns what is wrong with it.
  [[nodiscard]] std::optional<base::Error> add(std::string_view text);
  /// Whether `address` (numeric, or "unix") is in one of the blocks; false for other texts.
  [[nodiscard]] bool contains(std::string_view address) const;
  [[nodiscard]] bool empty() const { return blocks_.empty() && !unix_; }

 private:
  std::vector<base::AddressBlock> blocks_;
  bool unix_ = false;
};

}  // namespace roomcast::net
