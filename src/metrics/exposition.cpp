#include "metrics/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

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
  const auto begun = std::find_if(families_.begin(), families_.end(),
                                  [name](const Family& candidate) { return candidate.name == name; });
  current_ = static_cast<std::size_t>(begun - families_.begin());
  if (begun != families_.end()) return;
  Family& made = families_.emplace_back();
  made.name = name;
  made.head.append("# HELP ").append(name).append(" ");
  append_escaped(made.head, help, false);
  made.head.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Exposition::append_series(std::string& out, std::string_view suffix, Labels labels,
                               std::string_view le) const {
  out.append(families_[current_].name).append(suffix);
  bool is_first = true;
  for (const Label& label : labels)
    append_label(out, is_first, label.name, label.value);
  if (!le.empty()) append_label(out, is_first, "le", le);
  out += is_first ? " " : "} ";
}

void Exposition::sample_text(Labels labels, std::string_view value) {
  std::string& line = current().samples.emplace_back().text;
  append_series(line, "", labels, "");
  line.append(value).append("\n");
}

void Exposition::sample(Labels labels, double value) {
  std::string text;
  append_number(text, value);
  sample_text(labels, text);
}

void Exposition::sample(Labels labels, const Histogram& value) {
  std::string& lines = current().samples.emplace_back().text;
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    std::string bound = "+Inf";
    if (i < value.bounds.size()) {
      bound.clear();
      append_number(bound, value.bounds[i]);
    }
    up_to_here += value.counts[i];
    append_series(lines, "_bucket", labels, bound);
    lines += std::to_string(up_to_here) + '\n';
  }
  append_series(lines, "_sum", labels, "");
  append_number(lines, value.sum);
  lines += '\n';
  append_series(lines, "_count", labels, "");
  lines += std::to_string(up_to_here) + '\n';
}

void Exposition::add(Labels labels, std::int64_t value) {
  std::string series;
  append_series(series, "", labels, "");
  for (Sample& sample : current().samples) {
    if (!sample.sum || sample.text != series) continue;
    *sample.sum += value;
    return;
  }
  current().samples.push_back({std::move(series), value});
}

std::string Exposition::text() const {
  std::string out;
  for (const Family& family : families_) {
    out += family.head;
    for (const Sample& sample : family.samples) {
      out += sample.text;
      if (sample.sum) out.append(std::to_string(*sample.sum)).append("\n");
    }
  }
  return out;
}

}  // namespace roomcast::metrics
