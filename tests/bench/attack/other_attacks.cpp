#include "attack/other_attacks.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <time.h>

#include <csignal>
#include <new>
#include <string>
#include <utility>

#include "load/clock.h"

namespace roomcast::bench::attacks {

namespace {

void sleep_until(std::int64_t ns) {
  const timespec until{ns / second_ns, ns % second_ns};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

/// The first record of a handshake.
std::string client_hello() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const connection = context == nullptr ? nullptr : SSL_new(context);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (connection == nullptr || in == nullptr || out == nullptr) throw std::bad_alloc();
  SSL_set_bio(connection, in, out);
  SSL_set_connect_state(connection);
  SSL_do_handshake(connection);  // gets as far as to want an answer
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  SSL_free(connection);
  SSL_CTX_free(context);
  return hello;
}

SwarmTally carry_out_in_the_clear(const Arena& arena, SwarmPlan plan) {
  Target target = arena.target;
  target.tls = false;
  Swarm swarm(target, std::move(plan));
  swarm.run_for(arena.duration_ns);
  return swarm.tally();
}

}  // namespace

SwarmTally nothing(const Arena& arena) {
  sleep_until(now_ns() + arena.duration_ns);
  return {};
}

SwarmTally tls_handshakes(const Arena& arena, std::size_t at_once) {
  SwarmPlan plan;
  plan.connections = plan.at_once = at_once;
  plan.opening = client_hello();
  plan.leaves_when_answered = true;
  plan.comes_back_per_second = 20'000;
  return carry_out_in_the_clear(arena, std::move(plan));
}

SwarmTally silent_sockets(const Arena& arena, std::size_t connections) {
  SwarmPlan plan;
  plan.connections = connections;
  return carry_out_in_the_clear(arena, std::move(plan));
}

SwarmTally paused_server(const Arena& arena) {
  const std::int64_t begun_ns = now_ns();
  kill(arena.target.pid, SIGSTOP);
  sleep_until(begun_ns + arena.duration_ns / 2);
  kill(arena.target.pid, SIGCONT);
  sleep_until(begun_ns + arena.duration_ns);
  SwarmTally tally;
  tally.sent = 1;
  return tally;
}

}  // namespace roomcast::bench::attacks
