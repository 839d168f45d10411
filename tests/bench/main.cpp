// roomcast-bench: what a server costs, beside what the kernel charges. See `roomcast-bench --help`.

#include <cstdio>

int main() {
  std::fprintf(stderr, "not wired up yet\n");
  return 2;
}
