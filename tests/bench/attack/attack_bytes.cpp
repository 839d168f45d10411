#include "attack/attack_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "load/http_answer.h"
#include "load/target.h"

namespace roomcast::bench {

namespace {

constexpr std::string_view host = "127.0.0.1";

/// Raw deflate without the four bytes that RFC 7692 section 7.2.1 takes off.
std::string deflated(std::string_view message) {
  constexpr int raw_window_bits = -15;
  constexpr std::size_t tail_bytes = 4;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, raw_window_bits, MAX_MEM_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, message.size()) + tail_bytes + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_SYNC_FLUSH);
  out.resize(out.size() - stream.avail_out - tail_bytes);
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string upgrade_request(std::string_view path, bool json, bool deflate) {
  return make_request({Way::websocket, json ? Dialect::json : Dialect::raw, deflate}, host, path);
}

std::string bare_request(std::string_view method, std::string_view path, std::string_view fields) {
  std::string request(method);
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  return request.append(fields).append("\r\n");
}

std::string post_request(std::string_view path, std::string_view content_type, std::string_view body,
                         std::string_view fields) {
  std::string lines("Content-Type: ");
  lines.append(content_type).append("\r\nContent-Length: ").append(std::to_string(body.size()));
  lines.append("\r\n").append(fields);
  return bare_request("POST", path, lines).append(body);
}

std::string half_a_post(std::string_view path, std::size_t bytes) {
  const std::string length = "Content-Type: text/plain\r\nContent-Length: " + std::to_string(bytes) + "\r\n";
  return bare_request("POST", path, length).append(bytes / 2, 'x');
}

std::string header_lines(std::size_t bytes) {
  constexpr std::size_t line_bytes = 1000;
  constexpr std::string_view name = "X-Filling: ";
  constexpr std::string_view end = "\r\n";
  std::string lines;
  while (lines.size() < bytes) {
    const std::size_t left = bytes - lines.size();
    // The last line takes what would be too little for another one.
    const std::size_t size = left < 2 * line_bytes ? left : line_bytes;
    lines.append(name).append(size - std::min(size, name.size() + end.size()), 'f').append(end);
  }
  return lines;
}

std::string frames(Opcode opcode, std::string_view payload, std::size_t times) {
  std::string one;
  append_client_frame(one, opcode, payload);
  std::string all;
  all.reserve(one.size() * times);
  for (std::size_t i = 0; i < times; ++i)
    all.append(one);
  return all;
}

std::string compressed_frame(Opcode opcode, std::string_view message, bool final) {
  constexpr unsigned fin = 0x80;
  constexpr unsigned compressed = 0x40;
  std::string frame;
  append_client_frame(frame, opcode, deflated(message));
  frame.front() = static_cast<char>((final ? fin : 0U) | compressed | static_cast<unsigned>(opcode));
  return frame;
}

std::string batch_for(const std::vector<std::string>& rooms, std::string_view data) {
  std::string body = R"({"messages":[{"rooms":[)";
  for (std::size_t i = 0; i < rooms.size(); ++i)
    body.append(i == 0 ? "\"" : ",\"").append(rooms[i]).append("\"");
  return body.append(R"(],"data":)").append(data).append("}]}");
}

std::vector<std::string> numbered(std::string_view prefix, std::uint64_t first, std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    names.push_back(std::string(prefix) + std::to_string(first + i));
  return names;
}

namespace {

// MurmurHash64A as libstdc++ has it (libstdc++-v3/libsupc++/hash_bytes.cc).
constexpr std::uint64_t multiplier = 0xc6a4a7935bd1e995;
constexpr std::uint64_t seed = 0xc70f6907;
constexpr std::size_t name_bytes = 16;

constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 6; ++i)
    inverse *= 2 - odd * inverse;
  return inverse;
}
constexpr std::uint64_t inverse = inverse_of(multiplier);
static_assert(inverse * multiplier == 1);

/// Its own inverse.
constexpr std::uint64_t shift_mix(std::uint64_t value) { return value ^ (value >> 47); }

constexpr std::uint64_t mixed(std::uint64_t block) { return shift_mix(block * multiplier) * multiplier; }
constexpr std::uint64_t unmixed(std::uint64_t mixed_block) {
  return shift_mix(mixed_block * inverse) * inverse;
}

bool is_plain(std::uint64_t block) {
  for (int shift = 0; shift < 64; shift += 8) {
    const std::uint64_t byte = block >> shift & 0xFFU;
    if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '\\' || byte == '/') return false;
  }
  return true;
}

/// The n-th block of eight letters from A to P; four bits of `n` make one of them.
std::uint64_t letters(std::uint32_t n) {
  std::uint64_t spread = n;
  spread = (spread | spread << 16) & 0x0000ffff0000ffff;
  spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
  spread = (spread | spread << 4) & 0x0f0f0f0f0f0f0f0f;
  return spread + 0x4141414141414141;
}

}  // namespace

std::string CollidingNames::next() {
  constexpr std::uint64_t begin = seed ^ (name_bytes * multiplier);
  // Any state will do as the one where all of them meet.
  constexpr std::uint64_t meeting_point = 0x0123456789abcdef;
  for (;;) {
    const std::uint64_t first = letters(tried_++);
    const std::uint64_t state = (begin ^ mixed(first)) * multiplier;
    const std::uint64_t second = unmixed(state ^ meeting_point);
    if (!is_plain(second)) continue;
    std::string name(name_bytes, '\0');
    std::memcpy(name.data(), &first, sizeof first);
    std::memcpy(name.data() + sizeof first, &second, sizeof second);
    return name;
  }
}

}  // namespace roomcast::bench
