#include "ws/extensions.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.h"

namespace roomcast::ws {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

void TokenScanner::skip_space() {
  while (!rest_.empty() && is_space(rest_.front()))
    rest_.remove_prefix(1);
}

bool TokenScanner::take(char separator) {
  skip_space();
  if (rest_.empty() || rest_.front() != separator) return false;
  rest_.remove_prefix(1);
  skip_space();
  return true;
}

std::optional<std::string_view> TokenScanner::take_token() {
  const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), base::is_token_char);
  const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  if (token.empty()) return std::nullopt;
  rest_.remove_prefix(token.size());
  return token;
}

std::optional<std::string_view> TokenScanner::take_quoted() {
  if (rest_.empty() || rest_.front() != '"') return std::nullopt;
  std::size_t end = 1;
  while (end < rest_.size() && rest_[end] != '"')
    end += rest_[end] == '\\' ? 2U : 1U;
  if (end >= rest_.size()) return std::nullopt;
  const auto inside = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  return inside;
}

namespace {

/// RFC 7692 section 7.1.2: "8" to "15", decimal without leading zeros. 0 if it is anything else.
int parse_window_bits(std::string_view value) {
  if (value == "8") return 8;
  if (value == "9") return 9;
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
    return 10 + (value[1] - '0');
  return 0;
}

/// Evaluates one offer of permessage-deflate, parameter by parameter.
class DeflateOffer {
 public:
  using Value = std::optional<std::string>;

  void parameter(std::string_view name, const Value& value) {
    if (name == "server_no_context_takeover") {
      take_flag(server_no_takeover_, value);
    } else if (name == "client_no_context_takeover") {
      take_flag(client_no_takeover_, value);
    } else if (name == "server_max_window_bits") {
      take_window_bits(server_bits_, value);
    } else if (name == "client_max_window_bits") {
      // Without a value the client only indicates that the server may choose one.
      take_window_bits(client_bits_, value.has_value() ? value : Value("15"));
    } else {
      sound_ = false;
    }
  }

  [[nodiscard]] std::optional<DeflateAnswer> answer(const DeflatePolicy& policy) const {
    constexpr int smallest_of_zlib = 9;
    if (!sound_ || (server_bits_ != 0 && server_bits_ < smallest_of_zlib)) return std::nullopt;
    DeflateAnswer answer;
    DeflateParameters& agreed = answer.parameters;
    answer.header_value = "permessage-deflate; server_no_context_takeover";
    agreed.client_context_takeover = policy.client_context_takeover && !client_no_takeover_;
    if (!agreed.client_context_takeover) answer.header_value += "; client_no_context_takeover";
    agreed.server_max_window_bits = policy.server_max_window_bits;
    if (server_bits_ != 0) {
      agreed.server_max_window_bits = std::min(server_bits_, policy.server_max_window_bits);
      answer.header_value += "; server_max_window_bits=" + std::to_string(agreed.server_max_window_bits);
    }
    if (client_bits_ != 0)
      agreed.client_max_window_bits = std::min(client_bits_, policy.client_max_window_bits);
    if (agreed.client_max_window_bits < 15) {
      answer.header_value += "; client_max_window_bits=" + std::to_string(agreed.client_max_window_bits);
    }
    return answer;
  }

 private:
  void take_flag(bool& flag, const Value& value) {
    if (flag || value.has_value()) sound_ = false;
    flag = true;
  }
  void take_window_bits(int& bits, const Value& value) {
    const bool repeated = bits != 0;
    bits = parse_window_bits(value.value_or(""));
    if (repeated || bits == 0) sound_ = false;
  }

  bool sound_ = true;
  bool server_no_takeover_ = false;
  bool client_no_takeover_ = false;
  int server_bits_ = 0;  // 0: not offered
  int client_bits_ = 0;
};

std::string without_backslashes(std::string_view quoted) {
  std::string text;
  for (std::size_t at = 0; at < quoted.size(); ++at) {
    if (quoted[at] == '\\') ++at;
    text.push_back(quoted[at]);
  }
  return text;
}

/// Reads `= token` or `= quoted-string`, if present. False if the grammar is violated.
bool scan_value(TokenScanner& scanner, std::optional<std::string>& value) {
  value.reset();
  if (!scanner.take('=')) return true;
  if (const auto quoted = scanner.take_quoted()) {
    value = without_backslashes(*quoted);
    return base::is_token(*value);
  }
  const auto token = scanner.take_token();
  if (token) value = std::string(*token);
  return token.has_value();
}

/// Reads the parameters of one extension, up to the comma or the end. False if the grammar is violated.
bool scan_parameters(TokenScanner& scanner, DeflateOffer& offer) {
  std::optional<std::string> value;
  while (scanner.take(';')) {
    const auto name = scanner.take_token();
    if (!name || !scan_value(scanner, value)) return false;
    offer.parameter(*name, value);
  }
  return true;
}

}  // namespace

base::Result<std::optional<DeflateAnswer>> negotiate_deflate(std::string_view offers,
                                                             const DeflatePolicy* policy) {
  std::optional<DeflateAnswer> answer;
  TokenScanner scanner(offers);
  do {
    while (scanner.take(',')) {  // empty elements are allowed (RFC 9110 section 5.6.1)
    }
    scanner.skip_space();
    if (scanner.at_end()) break;
    const auto extension = scanner.take_token();
    DeflateOffer offer;
    if (!extension || !scan_parameters(scanner, offer)) {
      return base::Error{"Sec-WebSocket-Extensions does not follow RFC 6455 section 9.1"};
    }
    if (!answer && policy != nullptr && *extension == "permessage-deflate") answer = offer.answer(*policy);
  } while (scanner.take(','));
  if (!scanner.at_end()) return base::Error{"Sec-WebSocket-Extensions does not follow RFC 6455 section 9.1"};
  return answer;
}

}  // namespace roomcast::ws
