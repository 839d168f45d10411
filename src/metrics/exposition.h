#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace roomcast::metrics {

/// Content-Type of what Exposition writes.
inline constexpr std::string_view exposition_content_type = "text/plain; version=0.0.4; charset=utf-8";

struct Label {
  std::string_view name;   ///< [a-zA-Z_][a-zA-Z0-9_]*, not checked
  std::string_view value;  ///< anything; escaped
};
using Labels = std::initializer_list<Label>;

/// Observations counted in buckets. The views need only live for the call.
struct Histogram {
  std::span<const double> bounds;         ///< inclusive upper ends in rising order, without +Inf
  std::span<const std::uint64_t> counts;  ///< of each bucket alone; one more than bounds, for what is above
  double sum = 0;
};

/// Writes metric families in the Prometheus text format 0.0.4: first `counter`, `gauge` or `histogram` with
/// the family's name and help text, then its samples. Names follow the conventions of Prometheus: base units,
/// a counter ends in `_total`. Appends to a text of the caller's that must outlive it; knows no metric
/// itself.
class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}

  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void histogram(std::string_view name, std::string_view help) { family(name, help, "histogram"); }

  /// One sample of the counter or gauge begun last.
  template <std::integral Integer>
  void sample(Labels labels, Integer value) {
    sample_text(labels, std::to_string(value));
  }
  void sample(Labels labels, double value);
  /// The buckets, sum and count of one histogram of the family begun last.
  void sample(Labels labels, const Histogram& value);

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample_text(Labels labels, std::string_view value);
  void head(std::string_view suffix, Labels labels, std::string_view le);

  std::string& out_;
  std::string name_;
};

}  // namespace roomcast::metrics
