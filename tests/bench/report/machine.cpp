#include "report/machine.h"

#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "serve/servers.h"

namespace roomcast::bench {

namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

std::string describe_machine() {
  utsname system{};
  uname(&system);
  std::string text = processor() + ", " + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " CPUs, Linux " +
                     system.release + ", OpenSSL " + OpenSSL_version(OPENSSL_VERSION_STRING);
  for (const Server server : {Server::roomcast, Server::nchan, Server::ws}) {
    const std::string version = version_of(server);
    if (!version.empty()) text += ", " + version;
  }
  return text + ".";
}

}  // namespace roomcast::bench
