#include "config/schema.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "config/array_elements.h"
#include "config/auth_elements.h"

namespace roomcast::config {
namespace {

// A row's name is the very path of its member, so that the two cannot drift apart.
// clang-format off
#define MEMBER(path) ([](Config& config) -> auto& { return config.path; })
#define FLAG(path) #path, Flag{MEMBER(path)}
#define WHOLE(path, min, max, unit) #path, Whole{MEMBER(path), min, max, unit}
#define SECONDS(path, min_ms, max_ms) #path "_seconds", Seconds{MEMBER(path##_ms), min_ms, max_ms}
#define TEXT(path) #path, Text{MEMBER(path)}
#define TEXT_LIST(path, form) #path, TextList{MEMBER(path), form}
#define FILLED_TEXT_LIST(path, form) #path, TextList{MEMBER(path), form, false}
#define FILE_MODE(path) #path, FileMode{MEMBER(path)}
#define TEXT_OF(path, form) #path, Text{MEMBER(path), form}
#define TABLE_LIST_OF(path, max, keys, form) #path, TableList{max, keys,                               \
    [](const std::vector<Table>& tables, Config& config) { return read_elements(tables, config.path); }, \
    [](const Config& config, Secrets secrets) { return write_elements(config.path, secrets); },         \
    [](const Config& from, Config& to) { to.path = from.path; },                                        \
    form}
#define TABLE_LIST(path, max, keys) TABLE_LIST_OF(path, max, keys, nullptr)
#define ONE_OF(path, words) #path, OneOf{                                                       \
    [](const Config& config) { return static_cast<std::size_t>(config.path); },                  \
    [](Config& config, std::size_t i) { config.path = static_cast<decltype(config.path)>(i); },  \
    words}
// clang-format on

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;
constexpr std::uint64_t rate_max = 1'000'000'000;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t year_ms = 365 * day_ms;

// In the order of base::LogLevel and base::LogFormat.
constexpr std::array<std::string_view, 5> level_words{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> format_words{"text", "json"};

// In the order of config::EngineKind, config::Durability and config::OnCorruption.
constexpr std::array<std::string_view, 2> engine_words{"memory", "redis"};
constexpr std::array<std::string_view, 3> durability_words{"none", "async", "sync"};
constexpr std::array<std::string_view, 2> corruption_words{"stop", "set_aside"};

constexpr auto reload = Apply::reload;
constexpr auto restart = Apply::restart;
constexpr bool per_room = true;

// clang-format off
constexpr Setting table[] = {
    {FILLED_TEXT_LIST(listen, TextForm::address), restart,
     "Where to listen: http://HOST:PORT (or bare HOST:PORT), https://HOST:PORT, unix:/PATH; [::] is every address, IPv4 too; port 0: a free one."},
    {TEXT_LIST(admin_listen, TextForm::address), restart,
     "Where to listen for operation only: /healthz, /readyz, /metrics and what backends and operators use of /api, on connections that limits.connections does not count."},
    {FLAG(confine_operations), restart,
     "Whether /metrics, POST /api/publish and the calls of operators are served on admin_listen only: elsewhere they are 404."},
    {FILE_MODE(listen_unix_mode), restart,
     "Permission bits of the Unix sockets in `listen` and `admin_listen`: who on this machine may connect."},
    {TEXT_LIST(origins, TextForm::origin), reload,
     "Origins whose pages may connect besides the server's own, such as https://chat.example, capacitor://localhost or null (files, sandboxed frames)."},
    {TEXT_LIST(hosts, TextForm::host), reload,
     "Names under which the server may be addressed (Host), such as chat.example or *.chat.example, besides localhost and numeric addresses; anything else is 421. Empty: any, but on loopback listeners none. Trusted proxies may pass on any; * allows all."},
    {TEXT_LIST(trusted_proxies, TextForm::network), reload,
     "Networks (10.0.0.0/8) or addresses of reverse proxies, or unix for those on a Unix socket, that are "
     "believed about the client in X-Forwarded-For and X-Forwarded-Proto, not in Forwarded."},
    {SECONDS(drain_delay, 0, day_ms), reload,
     "How long everything is served on after a signal to stop, with /readyz at 503, so that load balancers can look elsewhere before the listeners close."},
    {FLAG(proxy_protocol), restart,
     "Whether connections from trusted_proxies to `listen` begin with a PROXY protocol header (version 1 or 2), as HAProxy (send-proxy) and AWS NLB send it."},
    {SECONDS(drain, 0, day_ms), reload,
     "Over how long clients are asked to reconnect when the server is stopped."},
    {TABLE_LIST(rooms, room_rules_max, room_rule_keys), reload,
     "What is different in rooms whose names match: `*` stands for anything but a slash, `**` for anything; the first match counts."},
    {TABLE_LIST_OF(access, access_rules_max, access_rule_keys, access_rule_form), reload,
     "Who (anyone, user, role:NAME, user:ID, key:NAME) may do what (join, publish, presence, history, moderate, admin) in rooms whose names match, with {user} for the user's id: the first row that matches decides; once there is a row, what none matches is refused. Empty: everybody may join, publish and read."},
    {ONE_OF(engine, engine_words), restart,
     "What orders the messages of rooms. memory: this server, which keeps them in memory and, with store.path, on its disk. redis: Redis or Valkey, for all servers with the same redis.urls and redis.prefix: they share their rooms."},

    {WHOLE(limits.message_bytes, 1, 256 * mib, "bytes"), reload,
     "Largest message over WebSocket, after decompression and with all its fragments."},
    {WHOLE(limits.fragments, 1, 1'000'000, ""), reload, "Most fragments of one WebSocket message."},
    {WHOLE(limits.json_depth, 1, 1'000, ""), reload,
     "How deep arrays and objects of a message that is JSON, or text that reads as JSON, may be nested; many readers stop at 64 with what stands around a message, and Python at 1,000."},
    {WHOLE(limits.body_bytes, 1, 256 * mib, "bytes"), reload, "Largest body of an HTTP request."},
    {WHOLE(limits.header_bytes, 256, mib, "bytes"), reload,
     "All header fields of one request together."},
    {WHOLE(limits.header_count, 1, 10'000, ""), reload, "Most header fields of one request."},
    {WHOLE(limits.uri_bytes, 16, mib, "bytes"), reload, "Longest request target."},
    {WHOLE(limits.connections, 1, 10'000'000, ""), reload,
     "Most connections at a time, less if the descriptor limit (RLIMIT_NOFILE) is lower; past it those that ask for nothing are closed first."},
    {WHOLE(limits.connections_per_address, 0, 10'000'000, ""), reload,
     "Most connections from one address, trusted proxies and Unix sockets excepted; 0: a quarter of limits.connections."},
    {WHOLE(limits.connections_per_user, 0, 10'000'000, ""), reload,
     "Most connections that stay (WebSocket, EventSource, stream) of one user; 0: no limit."},
    {WHOLE(limits.handshakes_per_address, 0, 10'000'000, ""), reload,
     "Most connections from one address that have not sent the head of a first request yet, trusted proxies and Unix sockets excepted; past it the oldest is closed. 0: no limit."},
    {WHOLE(limits.ipv6_prefix, 32, 128, ""), reload,
     "How many leading bits of an IPv6 address count as one address, since a client usually has a whole /64 to itself."},
    {WHOLE(limits.rooms_per_connection, 1, 10'000, ""), reload,
     "Most rooms that one roomcast.v1 connection may be in at a time, the one it was opened for included."},
    {WHOLE(limits.batch_messages, 1, 100'000, ""), reload,
     "Most messages of one POST /api/publish, one for each room counted."},
    {WHOLE(limits.batch_bytes, 1, gib, "bytes"), reload,
     "Most bytes of payloads of one POST /api/publish, each counted for each room it names."},
    {WHOLE(limits.idempotency_bytes, 0, gib, "bytes"), reload,
     "Most bytes for remembering idempotency keys; past it the oldest are forgotten before their five minutes, first those of an address that has a quarter or more; new keys that find no room are refused."},
    {WHOLE(limits.sanctions_bytes, 0, gib, "bytes"), reload,
     "Most bytes for bans, mutes and revocations; past it no more are taken, and none is forgotten."},
    {WHOLE(limits.queue_bytes, 1, gib, "bytes"), reload,
     "Most bytes queued for one client that does not read (never less than two of the largest messages); then 1013."},
    {WHOLE(limits.memory_bytes, 0, 1024 * gib, "bytes"), reload,
     "Most memory in all (1 MiB at least), 0: 70 % of what the cgroup, ulimit or machine has; near it whoever holds most is disconnected, then rooms forget, past it publishes and new clients are refused."},
    {WHOLE(limits.address_memory_bytes, 0, 1024 * gib, "bytes"), reload,
     "Most memory that the clients of one address may hold together, trusted proxies and Unix sockets excepted; 0: a quarter of limits.memory_bytes."},

    {WHOLE(rates.address_connects_per_second, 0, rate_max, ""), reload,
     "Most connections that an address may begin in a second, on average; 0: no limit. As with all rates of addresses, trusted proxies that do not name their client and Unix sockets are excepted."},
    {WHOLE(rates.address_requests_per_second, 0, rate_max, ""), reload,
     "Most HTTP requests in a second from the clients of an address that have not identified themselves; 0: no limit."},
    {WHOLE(rates.address_joins_per_second, 0, rate_max, ""), reload,
     "Most joins of rooms in a second by the same clients, polls included; 0: no limit."},
    {WHOLE(rates.address_publishes_per_second, 0, rate_max, ""), reload,
     "Most messages in a second published by the same clients; 0: no limit."},
    {WHOLE(rates.address_publish_bytes_per_second, 0, rate_max, "bytes"), reload,
     "Most bytes of such messages in a second; 0: no limit."},
    {WHOLE(rates.user_connects_per_second, 0, rate_max, ""), reload,
     "Most connections that stay (WebSocket, EventSource, stream) that a user may begin in a second, on average, from all addresses; 0: no limit."},
    {WHOLE(rates.user_requests_per_second, 0, rate_max, ""), reload,
     "Most HTTP requests of a user in a second; 0: no limit."},
    {WHOLE(rates.user_joins_per_second, 0, rate_max, ""), reload,
     "Most joins of rooms by a user in a second, polls included; 0: no limit."},
    {WHOLE(rates.user_publishes_per_second, 0, rate_max, ""), reload,
     "Most messages that a user may publish in a second; 0: no limit."},
    {WHOLE(rates.user_publish_bytes_per_second, 0, rate_max, "bytes"), reload,
     "Most bytes of messages that a user may publish in a second; 0: no limit."},
    {WHOLE(rates.connection_joins_per_second, 0, rate_max, ""), reload,
     "Most joins of rooms over one WebSocket in a second; 0: no limit."},
    {WHOLE(rates.connection_publishes_per_second, 0, rate_max, ""), reload,
     "Most messages published over one WebSocket in a second; 0: no limit."},
    {WHOLE(rates.connection_publish_bytes_per_second, 0, rate_max, "bytes"), reload,
     "Most bytes of messages published over one WebSocket in a second; 0: no limit."},
    {SECONDS(rates.burst, 1, 3'600'000), reload,
     "What comes in so many seconds at each of these rates, and at messages_per_second of rooms, may come at once."},
    {WHOLE(rates.table_bytes, 65'536, gib, "bytes"), reload,
     "Most bytes for remembering what has been spent of the rates; past it those are forgotten first that have spent least. A change forgets all of it."},

    {WHOLE(history.messages, 0, 1'000'000, ""), reload, "Most messages that a room keeps for those who come later.", per_room},
    {WHOLE(history.bytes, 0, gib, "bytes"), reload, "Most bytes of messages that a room keeps.", per_room},
    {SECONDS(history.age, 1, year_ms), reload,
     "How long a room keeps a message, and how long a room that nobody uses is remembered.", per_room},
    {WHOLE(history.total_bytes, 0, 1024 * gib, "bytes"), reload,
     "Most bytes that all rooms keep together in memory; past it empty rooms are forgotten, then the oldest messages."},
    {ONE_OF(history.durability, durability_words), reload,
     "What an answer to a publish means where store.path is set. sync: the message is on the disk, and nobody gets it before. async: it is written within moments. none: it is kept in memory only.", per_room},

    {TEXT(store.path), restart,
     "Directory in which the history of rooms is kept over restarts, such as /var/lib/roomcast; it is made if it does not exist. Empty: in memory only."},
    {WHOLE(store.commit_ms, 0, 1'000, ""), reload,
     "Milliseconds from the beginning of one commit to the next, while messages come in: more of them share a write. A message that comes alone does not wait for it."},
    {SECONDS(store.ack_timeout, 1, 300'000), reload,
     "How long a publish waits for the disk; then 504, and the message may still be kept."},
    {ONE_OF(store.on_corruption, corruption_words), restart,
     "What to do at the start when the files are damaged. stop: say so and exit. set_aside: move them to a directory corrupt-TIME and begin with an empty store."},
    {WHOLE(store.queue_bytes, mib, gib, "bytes"), reload,
     "Most bytes of messages that wait to be written; past it publishes are refused, or not kept where the durability is async."},
    {WHOLE(store.fold_bytes, mib, gib, "bytes"), reload,
     "How much is written before it is sorted by room; up to twice as much of it is held in memory."},
    {WHOLE(store.disk_bytes, 128 * mib, 1024 * gib, "bytes"), restart,
     "Most bytes that the files in store.path take together; near it the oldest messages of all rooms go first."},
    {WHOLE(store.ring_messages, 1, 1'000'000, ""), reload,
     "Most messages that a room which is kept on the disk has in memory as well."},
    {WHOLE(store.ring_bytes, 1, gib, "bytes"), reload, "Most bytes of those."},
    {WHOLE(store.cache_bytes, mib, 16 * gib, "bytes"), restart, "Memory for pages of the files."},
    {FLAG(store.secure_delete), restart,
     "Whether what is deleted is overwritten in the files, which writes half as much again."},

    {TEXT_LIST(redis.urls, TextForm::redis_server), restart,
     "Where Redis 6.2 or newer, or Valkey, is: redis://HOST[:PORT][/DATABASE], rediss:// with TLS, unix:/PATH; user and password may stand before HOST as USER:PASSWORD@. One, or the Sentinels, or some servers of the Cluster."},
    {TEXT(redis.sentinel), restart,
     "Name of the primary that the Sentinels at redis.urls watch; empty: redis.urls are no Sentinels. User and password in redis.urls are then those of the Sentinels."},
    {FLAG(redis.cluster), restart, "Whether redis.urls are servers of a Redis Cluster."},
    {TEXT(redis.user), restart, "User that logs in to Redis (ACL), unless redis.urls name one; empty: the default user."},
    {TEXT(redis.password_file), restart,
     "File with the password of that user, unless redis.urls have one; a line break at its end does not count."},
    {TEXT(redis.tls_ca), restart,
     "PEM file with what certificates of servers have to be signed by (rediss://); empty: what the system trusts."},
    {TEXT(redis.tls_certificate), restart, "PEM file with a client certificate, for servers that want one."},
    {TEXT(redis.tls_key), restart, "PEM file with the private key of `redis.tls_certificate`."},
    {TEXT(redis.tls_name), restart,
     "Name or address that the certificates of servers have to be for; empty: the HOST that was connected to."},
    {TEXT_OF(redis.prefix, TextForm::redis_prefix), restart,
     "What the names of all keys and channels in Redis begin with: servers that share a Redis but no rooms need different ones."},
    {SECONDS(redis.publish, 1, 300'000), reload,
     "How long a publish waits for Redis; then 503: unavailable, or timed_out if it may have been published."},
    {SECONDS(redis.connect, 1, 300'000), restart,
     "How long it may take to connect to Redis and to log in; then the next attempt follows, after 0.1 to 3 seconds."},
    {SECONDS(redis.recover, 0, 60'000), restart,
     "For how long publishes wait after another Redis server has become the primary, so that what it has lost can be put back; the same on all servers."},
    {SECONDS(redis.audit, 1'000, day_ms), restart,
     "How often a room in which nothing happens is compared with Redis."},
    {SECONDS(redis.room, 60'000, year_ms), restart,
     "How long Redis remembers a room that no server uses."},
    {SECONDS(redis.linger, 0, 3'600'000), restart,
     "How long a room that has no clients left stays subscribed, so that a reload of the page costs Redis nothing."},
    {SECONDS(redis.ready, 0, day_ms), restart,
     "After how long without Redis /readyz says 503."},
    {WHOLE(redis.queue_bytes, mib, gib, "bytes"), restart,
     "Most bytes of messages that wait for Redis; past it publishes are refused."},

    {TEXT_OF(node.name, TextForm::node_name), restart,
     "Name of this server among those that share its rooms, in logs and in Redis, different from all others'; empty: the name of the machine and a random number."},

    {SECONDS(presence.grace, 0, 300'000), reload,
     "For how long somebody whose last connection has gone still counts as here, so that a reload is no event.", per_room},
    {WHOLE(presence.crowd, 0, 10'000, ""), reload,
     "With more than this many in a room only their number is sent, at most once a second, and no names.", per_room},

    {FLAG(room_defaults.publish_only_keys), reload,
     "Whether only clients with an API key may publish.", per_room},
    {WHOLE(room_defaults.members_max, 0, 10'000'000, ""), reload,
     "Most connections in a room at a time; 0: no limit.", per_room},
    {WHOLE(room_defaults.message_bytes, 0, 256 * mib, "bytes"), reload,
     "Largest message, if that is less than limits.message_bytes; 0: that.", per_room},
    {WHOLE(room_defaults.messages_per_second, 0, rate_max, ""), reload,
     "Most messages in a room in a second, of all publishers together; 0: no limit.", per_room},
    {SECONDS(room_defaults.slow_mode, 0, day_ms), reload,
     "The time in which each user, or connection of no user, may publish one message in a room, moderators and API keys excepted; 0: no limit.", per_room},
    {FLAG(room_defaults.hidden_members), reload,
     "Whether only moderators see who is in a room, and only when they ask: presence says how many.", per_room},
    {FLAG(room_defaults.echo), reload,
     "Whether senders get their own messages, unless they say otherwise with ?echo=.", per_room},

    {TEXT(tls.certificate), reload, "PEM file with the certificate chain for https listeners."},
    {TEXT(tls.key), reload, "PEM file with the private key of `tls.certificate`."},
    {TABLE_LIST(tls.certificates, certificates_max, certificate_keys), reload,
     "More certificates, each with `certificate` and `key`, chosen by the name the client asks for (SNI)."},

    {SECONDS(http.head_timeout, 1, day_ms), reload,
     "How long a client may take to send a request head, and to finish a TLS handshake."},
    {SECONDS(http.body_timeout, 1, day_ms), reload, "How long a client may take to send a request body."},
    {SECONDS(http.idle_timeout, 1, day_ms), reload,
     "How long a connection is kept open between two requests."},
    {SECONDS(http.poll_wait, 0, day_ms), reload,
     "The longest that a poll with ?wait= is held back; a longer wait is cut down to it. Proxies usually cut at 60."},
    {FLAG(http.compression), reload,
     "Whether messages over HTTP are compressed with gzip for clients that accept it."},

    {FLAG(websocket.compression), restart,
     "Whether permessage-deflate (RFC 7692) is agreed to when a client offers it."},
    {WHOLE(websocket.compression_min_bytes, 0, 256 * mib, "bytes"), restart,
     "Smallest message worth compressing."},
    {WHOLE(websocket.compression_level, 1, 9, ""), restart,
     "From 1, fastest, to 9, smallest; messages of 16 KiB and more are compressed at 1."},
    {SECONDS(websocket.ping, 1, day_ms), reload,
     "How often a live connection is pinged (EventSource, stream: a heartbeat); proxies usually cut idle connections after 60 seconds."},
    {SECONDS(websocket.pong_timeout, 1, day_ms), reload,
     "How long after a ping something must have come back."},
    {SECONDS(websocket.close_timeout, 1, day_ms), reload, "How long a client may take to answer a close frame."},
    {SECONDS(websocket.message_timeout, 1, day_ms), reload,
     "How long a client may take to send a message that it has begun; looked at with each ping, then 1008."},

    {TABLE_LIST(auth.tokens, token_keys_max, token_keys_keys), reload,
     "Keys of tokens (JWT) that identify users, each bound to its algorithms: a shared secret for HS256 to HS512, otherwise public keys from a PEM file, or a JWKS from a file or URL."},
    {TABLE_LIST_OF(auth.keys, api_keys_max, api_key_keys, api_key_form), reload,
     "Keys of backends (Authorization: Bearer KEY), as hashes; roomcast keygen prints a key and its line. What a key may in its rooms is added to what rows of `access` say."},
    {SECONDS(auth.leeway, 0, 3'600'000), reload,
     "How far the clock of who issues tokens may be off."},
    {SECONDS(auth.authenticate, 1, 3'600'000), reload,
     "How long a client that has to identify itself with its first roomcast.v1 message may take."},
    {TEXT_OF(auth.cookie, TextForm::cookie), reload, "Name of a cookie that holds a token; empty: none, or roomcast where there is auth.users_file."},
    {TEXT_OF(auth.proxy_user_header, TextForm::header), reload,
     "Header field in which trusted_proxies name the user that they have identified, such as Remote-User; empty: none."},
    {TEXT_OF(auth.proxy_groups_header, TextForm::header), reload,
     "Header field beside it with that user's groups, separated by commas, which become roles; empty: none."},
    {TEXT_OF(auth.proxy_name_header, TextForm::header), reload,
     "Header field beside it with that user's display name; empty: the id is shown."},
    {TEXT(auth.users_file), reload,
     "File with the accounts that roomcast user manages, read again when it has changed; empty: none. Signing in computes scrypt, which takes 64 MiB for a moment."},
    {SECONDS(auth.session, 60'000, year_ms), reload,
     "For how long who has signed in to an account stays so, unless the page renews it."},
    {TEXT(auth.cookie_secret_file), reload,
     "File with at least 32 random bytes that sign the cookies of accounts, made if it does not exist; empty: random, and a restart ends all sessions."},

    {FLAG(cors.credentials), reload,
     "Whether pages of the origins that `origins` names may send cookies and HTTP authentication along (not those that only * or null allows)."},
    {TEXT_LIST(cors.headers, TextForm::header), reload,
     "Header fields that pages of other origins may send besides Authorization, Idempotency-Key, Last-Event-ID and those of tracing."},

    {TEXT(web.root), restart, "Directory served at /, read anew by a reload; empty serves the page that comes with the server."},
    {TEXT(web.content_security_policy), reload,
     "Content-Security-Policy of what is served at /; empty: one without inline scripts, other hosts and frames; none: no such header."},

    {FLAG(echo.enabled), restart,
     "Whether /echo answers WebSocket clients with what they send, for diagnosis."},

    {ONE_OF(log.level, level_words), reload, "Least severe lines to write."},
    {ONE_OF(log.format, format_words), reload, "Lines for people or one JSON object a line."},
    {WHOLE(log.lines_per_second, 0, 1'000'000, ""), reload,
     "Most lines of one kind (message and level) in a second; the rest are counted, and one line says how many they were. 0: no limit."},
};
// clang-format on

}  // namespace

std::span<const Setting> settings() { return table; }

const Setting* find_setting(std::string_view name) {
  const auto* row = std::find_if(std::begin(table), std::end(table),
                                 [name](const Setting& setting) { return setting.name == name; });
  return row == std::end(table) ? nullptr : row;
}

std::string_view section_of(const Setting& setting) {
  const std::size_t dot = setting.name.find('.');
  return dot == std::string_view::npos ? std::string_view() : setting.name.substr(0, dot);
}

std::string_view key_of(const Setting& setting) {
  const std::size_t dot = setting.name.find('.');
  return dot == std::string_view::npos ? setting.name : setting.name.substr(dot + 1);
}

std::string environment_name(const Setting& setting) {
  std::string name = "ROOMCAST_";
  for (const char c : setting.name) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

}  // namespace roomcast::config
