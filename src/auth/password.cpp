#include "auth/password.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "base/digest.h"

namespace roomcast::auth {

namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;
constexpr std::size_t fingerprint_bytes = 12;
constexpr unsigned work_times_max = 16;

/// Base64 with the alphabet of RFC 4648 section 4 and without padding.
std::string unpadded_base64(std::string_view bytes) {
  std::string text = base::base64_encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> from_unpadded_base64(std::string_view text) {
  std::string padded(text);
  padded.append((4 - padded.size() % 4) % 4, '=');
  std::string bytes;
  // Padding within `text` would be a second way of writing the same.
  if (text.find('=') != std::string_view::npos || !base::base64_decode(padded, bytes)) return std::nullopt;
  return bytes;
}

/// Takes the text up to `delimiter`, which is removed as well; all of it if there is none.
std::string_view take_until(std::string_view& rest, char delimiter) {
  const std::string_view part = rest.substr(0, rest.find(delimiter));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

/// The number behind `name` in "ln=15".
std::optional<unsigned> parameter(std::string_view text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  unsigned value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_sound(const ScryptCost& cost) {
  if (cost.log2_n < 10 || cost.log2_n > 20 || cost.r == 0 || cost.r > 32 || cost.p == 0 || cost.p > 16)
    return false;
  const std::uint64_t most_work = ScryptCost{}.memory_bytes() * work_times_max;
  return cost.memory_bytes() <= PasswordHash::memory_bytes_max && cost.memory_bytes() * cost.p <= most_work;
}

std::string scrypt(std::string_view password, std::string_view salt, const ScryptCost& cost,
                   std::size_t bytes) {
  std::string hash(bytes, '\0');
  // What OpenSSL counts besides the large table: the blocks of p and some working memory.
  const std::uint64_t slack = std::uint64_t{128} * cost.r * (cost.p + 8) + 65'536;
  const int ok =
      EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                     salt.size(), std::uint64_t{1} << cost.log2_n, cost.r, cost.p,
                     cost.memory_bytes() + slack, reinterpret_cast<unsigned char*>(hash.data()), hash.size());
  if (ok != 1) throw std::runtime_error("scrypt failed: is there memory for it?");
  return hash;
}

}  // namespace

base::Result<PasswordHash> PasswordHash::parse(std::string_view text) {
  const base::Error malformed{"expected $scrypt$ln=15,r=8,p=1$SALT$HASH"};
  constexpr std::string_view scheme = "$scrypt$";
  if (!text.starts_with(scheme)) return malformed;
  std::string_view rest = text.substr(scheme.size());
  std::string_view parameters = take_until(rest, '$');
  const auto log2_n = parameter(take_until(parameters, ','), "ln=");
  const auto r = parameter(take_until(parameters, ','), "r=");
  const auto p = parameter(parameters, "p=");
  if (!log2_n || !r || !p) return malformed;
  auto salt = from_unpadded_base64(take_until(rest, '$'));
  auto hash = from_unpadded_base64(rest);
  if (!salt || !hash || salt->size() < 8 || salt->size() > 64 || hash->size() < 16 || hash->size() > 64)
    return malformed;
  PasswordHash parsed;
  parsed.cost_ = {*log2_n, *r, *p};
  if (!is_sound(parsed.cost_)) {
    return base::Error{
        "the parameters of scrypt are too small, or take more than 64 MiB or 16 times the "
        "work of ln=15,r=8,p=1"};
  }
  parsed.salt_ = *std::move(salt);
  parsed.hash_ = *std::move(hash);
  return parsed;
}

PasswordHash PasswordHash::of(std::string_view password, ScryptCost cost) {
  PasswordHash made;
  made.cost_ = cost;
  made.salt_.resize(salt_bytes);
  if (RAND_bytes(reinterpret_cast<unsigned char*>(made.salt_.data()), static_cast<int>(salt_bytes)) != 1)
    throw std::runtime_error("there is no randomness for a salt");
  made.hash_ = scrypt(password, made.salt_, cost, hash_bytes);
  return made;
}

bool PasswordHash::matches(std::string_view password) const {
  const std::string hash = scrypt(password, salt_, cost_, hash_.size());
  return base::equal_in_constant_time(hash, hash_);
}

std::string PasswordHash::text() const {
  return "$scrypt$ln=" + std::to_string(cost_.log2_n) + ",r=" + std::to_string(cost_.r) +
         ",p=" + std::to_string(cost_.p) + '$' + unpadded_base64(salt_) + '$' + unpadded_base64(hash_);
}

std::string PasswordHash::fingerprint() const {
  const auto digest = base::sha256(salt_ + hash_);
  std::string text;
  base::append_base64url(text, {reinterpret_cast<const char*>(digest.data()), fingerprint_bytes});
  return text;
}

}  // namespace roomcast::auth
