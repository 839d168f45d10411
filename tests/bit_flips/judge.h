#pragma once

#include <cstdint>
#include <string>

#include "bit_flips/made_store.h"

namespace roomcast::flips {

/// What has become of a store in which a bit is not what was written, worst last.
enum class Outcome : std::uint8_t {
  no_effect,
  refused,      ///< it does not open, with an error
  error,        ///< it opens, and something cannot be read: an error
  told,         ///< messages are missing, and whoever reads is told
  last_commit,  ///< those of the last commit are missing without a word
  silent,       ///< others are
  wrong,        ///< something was handed out that was never written, or is not there any more
  hang,
  crash,
};
inline constexpr int outcomes = static_cast<int>(Outcome::crash) + 1;
[[nodiscard]] const char* name_of(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::no_effect;
  std::string what{};  ///< for outcomes that must not be
};

/// Opens the store in `directory` and compares everything that it gives out with `content`: first as the
/// start has found it, then once what was in the journal has been folded. In this process.
[[nodiscard]] Verdict judge(const std::string& directory, const Content& content);
/// The same in a process of its own, which may crash, or is ended after `limit_seconds`.
[[nodiscard]] Verdict judge_apart(const std::string& directory, const Content& content,
                                  unsigned limit_seconds);

}  // namespace roomcast::flips
