#include "report/tables.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "report/json_text.h"
#include "report/machine.h"
#include "report/show.h"

namespace roomcast::bench {

namespace {

/// With as many decimals as say something: 0.412, 3.55, 35.1, 16,200; "–" for what could not be measured.
std::string figure(double value) {
  if (!std::isfinite(value)) return "–";
  if (value >= 1000) return grouped(static_cast<std::uint64_t>(std::llround(value)));
  std::array<char, 32> text{};
  const int decimals = value == std::floor(value) ? 0
                       : value >= 100             ? 0
                       : value >= 10              ? 1
                       : value >= 1               ? 2
                                                  : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string times(double ratio) {
  if (!std::isfinite(ratio)) return "–";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f ×", ratio);
  return text.data();
}

std::string line_of(std::initializer_list<std::string> cells) {
  std::string line = "|";
  for (const std::string& cell : cells)
    line += " " + cell + " |";
  return line + "\n";
}

std::string_view name_of_base(Base base) {
  switch (base) {
    case Base::send:
      return "send";
    case Base::join:
      return "joined send";
    case Base::raw:
      return "raw";
    case Base::before:
      return "before";
    case Base::none:
      break;
  }
  return "";
}

/// The first value of a row carries the row's name, the others stand below it with theirs.
std::string cost_lines(const RowResult& result) {
  std::string lines;
  for (std::size_t i = 0; i < result.row.values.size(); ++i) {
    const Value& value = result.row.values[i];
    lines +=
        line_of({std::string(result.row.name) + ", " + std::string(value.name),
                 figure(result.median_base(i)) + " (" + std::string(name_of_base(result.row.base)) + ")",
                 figure(result.median_figure(Server::roomcast, i)),
                 "**" + times(result.median_ratio(Server::roomcast, i)) + "**", times(value.goal),
                 times(result.median_ratio(Server::nchan, i)), times(result.median_ratio(Server::ws, i))});
  }
  return lines;
}

std::string plain_lines(const RowResult& result) {
  std::string lines;
  for (std::size_t i = 0; i < result.row.values.size(); ++i) {
    const Value& value = result.row.values[i];
    lines += line_of({std::string(result.row.name) + ": " + std::string(value.name),
                      "**" + figure(result.median_figure(Server::roomcast, i)) + "**", figure(value.goal),
                      figure(result.median_figure(Server::nchan, i)),
                      figure(result.median_figure(Server::ws, i))});
  }
  return lines;
}

}  // namespace

std::string lines_of(const RowResult& result) {
  return result.row.base == Base::none ? plain_lines(result) : cost_lines(result);
}

std::string tables_as_markdown(const std::vector<RowResult>& results, std::size_t rounds) {
  std::string costs;
  std::string plain;
  std::string remarks;
  for (const RowResult& result : results) {
    (result.row.base == Base::none ? plain : costs) += lines_of(result);
    for (const std::string& remark : result.remarks)
      remarks += "- " + std::string(result.row.name) + ": " + remark + "\n";
  }
  std::string text;
  if (!costs.empty()) {
    text += "| CPU of the server | floor | roomcast | times the floor | goal | nchan | ws |\n";
    text += "|---|--:|--:|--:|--:|--:|--:|\n" + costs + "\n";
  }
  if (!plain.empty()) {
    text += "| | roomcast | goal | nchan | ws |\n|---|--:|--:|--:|--:|\n" + plain + "\n";
  }
  text += (rounds == 1 ? "One round. "
                       : "Medians of " + std::to_string(rounds) +
                             " rounds, roomcast and the floor by turns; the rivals in the first of them. ") +
          describe_machine() + "\n";
  if (!remarks.empty()) text += "\nNot whole, and so not counted:\n\n" + remarks;
  return text;
}

std::string tables_as_json(const std::vector<RowResult>& results, std::size_t rounds) {
  JsonText json;
  json.open_object().member("machine", describe_machine());
  json.member("rounds", static_cast<std::uint64_t>(rounds)).open_array("rows");
  for (const RowResult& result : results) {
    for (std::size_t i = 0; i < result.row.values.size(); ++i) {
      const Value& value = result.row.values[i];
      json.open_object().member("name", result.row.name).member("value", value.name);
      json.member("base", name_of_base(result.row.base)).member("goal", value.goal);
      json.member("ratio", result.median_ratio(Server::roomcast, i)).open_object("rounds");
      for (const auto& [server, figures] : result.figures) {
        json.open_array(name_of(server));
        for (const double one : figures[i])
          json.element(one);
        json.close_array();
      }
      json.close_object().close_object();
    }
  }
  return json.close_array().close_object().text() + "\n";
}

void put_into_file(const std::string& path, const std::string& text, const std::string& mark) {
  const std::string begin = "<!-- " + mark + ":begin -->\n";
  const std::string end = "<!-- " + mark + ":end -->";
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  std::string all = content.str();
  const std::size_t from = all.find(begin);
  const std::size_t to = all.find(end, from == std::string::npos ? 0 : from);
  if (!in || from == std::string::npos || to == std::string::npos) {
    throw std::runtime_error(path + " cannot be read, or lacks the lines <!-- " + mark +
                             ":begin --> and <!-- " + mark + ":end -->");
  }
  all.replace(from + begin.size(), to - from - begin.size(), "\n" + text + "\n");
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << all;
  if (!out.flush()) throw std::runtime_error(path + " cannot be written");
}

}  // namespace roomcast::bench
