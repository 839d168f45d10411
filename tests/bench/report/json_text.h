#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::bench {

/// Lays down JSON, member by member; the caller sees to it that what is opened is closed.
class JsonText {
 public:
  JsonText& open_object(std::string_view key = {});
  JsonText& close_object();
  JsonText& open_array(std::string_view key = {});
  JsonText& close_array();
  JsonText& member(std::string_view key, std::string_view value);
  JsonText& member(std::string_view key,
                   double value);  ///< with three decimals; null when it is not a number
  JsonText& member(std::string_view key, std::uint64_t value);
  JsonText& element(double value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view key);
  void quote(std::string_view value);
  void put(double value);

  std::string text_;
  bool first_ = true;
};

}  // namespace roomcast::bench
