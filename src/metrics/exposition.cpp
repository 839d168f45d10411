#include "metrics/exposition.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace roomcast::metrics {
namespace {

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
  }
}

void append_escaped(std::string& out, std::string_view text, bool escape_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && escape_quotes)) out += '\\';
    out += c;
  }
}

void append_label(std::string& out, bool& is_first, std::string_view name, std::string_view value) {
  out += is_first ? '{' : ',';
  is_first = false;
  out += name;
  out += "=\"";
  append_escaped(out, value, true);
  out += '"';
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  out_ += "# HELP ";
  out_ += name;
  out_ += ' ';
  append_escaped(out_, help, false);
  out_ += "\n# TYPE ";
  out_ += name;
  out_ += ' ';
  out_ += type;
  out_ += '\n';
}

void Exposition::head(std::string_view suffix, Labels labels, std::string_view le) {
  out_ += name_;
  out_ += suffix;
  bool is_first = true;
  for (const Label& label : labels)
    append_label(out_, is_first, label.name, label.value);
  if (!le.empty()) append_label(out_, is_first, "le", le);
  out_ += is_first ? " " : "} ";
}

void Exposition::sample_text(Labels labels, std::string_view value) {
  head("", labels, "");
  out_ += value;
  out_ += '\n';
}

void Exposition::sample(Labels labels, double value) {
  std::string text;
  append_number(text, value);
  sample_text(labels, text);
}

void Exposition::sample(Labels labels, const Histogram& value) {
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    std::string bound = "+Inf";
    if (i < value.bounds.size()) {
      bound.clear();
      append_number(bound, value.bounds[i]);
    }
    up_to_here += value.counts[i];
    head("_bucket", labels, bound);
    out_ += std::to_string(up_to_here) + '\n';
  }
  head("_sum", labels, "");
  append_number(out_, value.sum);
  out_ += '\n';
  head("_count", labels, "");
  out_ += std::to_string(up_to_here) + '\n';
}

}  // namespace roomcast::metrics
