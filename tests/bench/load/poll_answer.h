#pragma once

#include <cstddef>
#include <string_view>

namespace roomcast::bench {

/// The body of a poll's answer, `{"room","cursor","gap","messages":[…]}`, gone through message by message
/// without taking it apart any further.
class PollAnswer {
 public:
  /// `body` has to outlive this.
  explicit PollAnswer(std::string_view body);
  /// Whether it is such a body.
  [[nodiscard]] bool is_good() const { return !cursor_.empty(); }
  [[nodiscard]] std::string_view cursor() const { return cursor_; }
  /// The next message's envelope; empty when there is no other.
  [[nodiscard]] std::string_view next();

 private:
  std::string_view cursor_;
  std::string_view messages_;  ///< what is left of the array, from an envelope's brace on
};

}  // namespace roomcast::bench
