/* A clock that a test sets: to be preloaded into a program (LD_PRELOAD).
 *
 *   CLOCK_SHIM_FILE   a file of two i64 in the machine's order, which may change while the program runs: what is added to the wall
 *                     clock and to the monotonic clock, in milliseconds
 *
 * Only what the program reads is changed, not what the kernel waits for: timers with a duration run as always. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static const volatile int64_t* offsets;

__attribute__((constructor)) static void map_offsets(void) {
  const char* name = getenv("CLOCK_SHIM_FILE");
  const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* mapped = mmap(NULL, 2 * sizeof *offsets, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) offsets = mapped;
  close(file);
}

static void add(struct timespec* time, int64_t ms) {
  int64_t nanoseconds = time->tv_nsec + ms % 1000 * 1000000;
  time->tv_sec += ms / 1000;
  if (nanoseconds < 0) {
    nanoseconds += 1000000000;
    --time->tv_sec;
  } else if (nanoseconds >= 1000000000) {
    nanoseconds -= 1000000000;
    ++time->tv_sec;
  }
  time->tv_nsec = nanoseconds;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result != 0 || offsets == NULL) return result;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) add(time, offsets[0]);
  if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) add(time, offsets[1]);
  return 0;
}

EXPORT int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

EXPORT time_t time(time_t* into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}
