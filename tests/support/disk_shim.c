/* A disk that fails, is slow, or remembers: to be preloaded into a program (LD_PRELOAD). It stands between the
 * program and the C library for the files below one directory; other files are left alone.
 *
 *   DISK_SHIM_DIRECTORY   that directory
 *   DISK_SHIM_CONTROL     a file of rules, read again before each call, so that they can be changed while the
 *                         program runs (by rename(2): a rule that is half written would be half obeyed)
 *   DISK_SHIM_TRACE       a file to which everything that changes the directory is appended
 *
 * Rules, one a line. CALLS: names of calls, separated by commas, without a 64 at the end. NAME: a part of the
 * file's name, or with a $ behind it, its end; without it all files. When the text of the rules changes, counting
 * begins anew.
 *
 *   fail CALLS FIRST COUNT ERRNO [NAME]   the FIRST-th such call, and COUNT in all (0: all from then on)
 *   short CALLS FIRST COUNT [NAME]        write half, then fail with EIO
 *   delay CALLS MILLISECONDS [NAME]       first sleep
 *   space BYTES                           the files have so many bytes at most, all together: what would make one
 *                                         larger fails with ENOSPC, a write after as much as there is space for
 *
 * What was failed is appended to CONTROL.log, a line each: call, file, errno.
 *
 * The trace, little endian: code u8 | length of name u8 | offset u64 | length of data u32 | name | data. Codes:
 *   o created   w written   t now has the size `offset`   b a sync begins   s it has ended   e it has failed
 *   u unlinked   r renamed to `data`   d directory made   m a mark of the program itself
 * A record is written when its call has succeeded and before it returns. The name of the directory is "". */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
/* The C library's own function, found at its first use. */
#define REAL(name) ((__typeof__(real_##name))next_function((void**)&real_##name, #name))

enum { files_max = 4096, rules_max = 16, rules_bytes = 4096, name_bytes = 64 };

static int (*real_open)(const char*, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void*, size_t);
static ssize_t (*real_pwrite64)(int, const void*, size_t, off64_t);
static ssize_t (*real_read)(int, void*, size_t);
static ssize_t (*real_pread64)(int, void*, size_t, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate64)(int, off64_t);
static int (*real_posix_fallocate64)(int, off64_t, off64_t);
static int (*real_unlink)(const char*);
static int (*real_rename)(const char*, const char*);
static int (*real_mkdir)(const char*, mode_t);

static void* next_function(void** known, const char* name) {
  if (!*known) *known = dlsym(RTLD_NEXT, name);
  return *known;
}

struct rule {
  char verb; /* f, s, d, or b: a bound of the space */
  char calls[128];
  long first, count, value;
  char name[name_bytes];
  long seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t growth = PTHREAD_MUTEX_INITIALIZER; /* of him who looks for space and takes it */
static char names[files_max][name_bytes]; /* of the descriptors that are ours: "/" and the name in the directory */
static char rules_text[rules_bytes];
static struct rule rules[rules_max];
static int rules_count;
static int trace = -1;

static const char* directory(void) {
  static const char* value;
  if (!value) value = getenv("DISK_SHIM_DIRECTORY");
  return value ? value : "";
}

/* The name of `path` in the directory, "" for the directory itself; NULL if it is elsewhere. */
static const char* inside(const char* path) {
  const char* root = directory();
  const size_t length = strlen(root);
  if (length == 0 || !path || strncmp(path, root, length) != 0) return NULL;
  if (path[length] == '\0') return path + length;
  return path[length] == '/' && strlen(path + length + 1) < name_bytes - 1 ? path + length + 1 : NULL;
}

static const char* name_of(int file) {
  return file >= 0 && file < files_max && names[file][0] ? names[file] + 1 : NULL;
}

static int number_of_error(const char* text) {
  static const struct { const char* text; int number; } known[] = {
      {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}, {"EACCES", EACCES}, {"EFBIG", EFBIG}};
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
    if (strcmp(text, known[i].text) == 0) return known[i].number;
  fprintf(stderr, "disk_shim: no such error: %s\n", text);
  abort();
}

static void log_failure(const char* text) {
  char path[4096];
  snprintf(path, sizeof path, "%s.log", getenv("DISK_SHIM_CONTROL"));
  const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  (void)!syscall(SYS_write, file, text, strlen(text));
  syscall(SYS_close, file);
}

/* Reads the rules if their text has changed. */
static void read_rules(void) {
  static char text[rules_bytes];
  const char* path = getenv("DISK_SHIM_CONTROL");
  const int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
  long size = file < 0 ? 0 : syscall(SYS_read, file, text, sizeof text - 1);
  if (file >= 0) syscall(SYS_close, file);
  text[size < 0 ? 0 : size] = '\0';
  if (strcmp(text, rules_text) == 0) return;
  memcpy(rules_text, text, sizeof text);
  rules_count = 0;
  char* rest = NULL;
  for (char* line = strtok_r(text, "\n", &rest); line && rules_count < rules_max; line = strtok_r(NULL, "\n", &rest)) {
    struct rule one = {.count = 0};
    char verb[16] = "", error[16] = "EIO";
    if (sscanf(line, "fail %127s %ld %ld %15s %63s", one.calls, &one.first, &one.count, error, one.name) >= 4) {
      one.verb = 'f';
    } else if (sscanf(line, "short %127s %ld %ld %63s", one.calls, &one.first, &one.count, one.name) >= 3) {
      one.verb = 's';
    } else if (sscanf(line, "delay %127s %ld %63s", one.calls, &one.value, one.name) >= 2) {
      one.verb = 'd';
    } else if (sscanf(line, "space %ld", &one.value) == 1) {
      one.verb = 'b';
    } else if (sscanf(line, "%15s", verb) == 1) {
      fprintf(stderr, "disk_shim: no rule: %s\n", line);
      abort();
    }
    if (one.verb == 'f' || one.verb == 's') one.value = number_of_error(error);
    if (one.verb) rules[rules_count++] = one;
  }
}

static int has_call(const char* calls, const char* call) {
  const size_t length = strlen(call);
  for (const char* at = strstr(calls, call); at; at = strstr(at + 1, call))
    if ((at == calls || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return 1;
  return 0;
}

static int has_name(const char* name, const char* part) {
  const size_t length = strlen(part);
  if (length == 0 || part[length - 1] != '$') return strstr(name, part) != NULL;
  const size_t all = strlen(name);
  return all >= length - 1 && strncmp(name + all - (length - 1), part, length - 1) == 0;
}

/* What the rules say of this call: 0, or the error that it gets; negative: after half of the bytes. Sleeps. */
static int verdict(const char* call, const char* name) {
  long sleep_ms = 0;
  int error = 0;
  pthread_mutex_lock(&lock);
  read_rules();
  for (int i = 0; i < rules_count; ++i) {
    struct rule* one = &rules[i];
    if (has_call(one->calls, call) && has_name(name, one->name)) {
      ++one->seen;
      if (one->verb == 'd') sleep_ms += one->value;
      else if (one->seen >= one->first && (one->count == 0 || one->seen < one->first + one->count))
        error = one->verb == 's' ? -(int)one->value : (int)one->value;
    }
  }
  if (error) {
    char line[256];
    snprintf(line, sizeof line, "%s %s %d\n", call, name, error);
    log_failure(line);
  }
  pthread_mutex_unlock(&lock);
  if (sleep_ms > 0) {
    struct timespec pause = {sleep_ms / 1000, sleep_ms % 1000 * 1000000};
    while (nanosleep(&pause, &pause) != 0) continue;
  }
  return error;
}

/* The sizes of all files of the directory, summed up. */
static long used_bytes(void) {
  DIR* all = opendir(directory());
  if (!all) return 0;
  long sum = 0;
  for (struct dirent* one = readdir(all); one; one = readdir(all)) {
    struct stat found;
    if (fstatat(dirfd(all), one->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode)) sum += found.st_size;
  }
  closedir(all);
  return sum;
}

static long space_left(void) {
  long left = LONG_MAX;
  pthread_mutex_lock(&lock);
  read_rules();
  for (int i = 0; i < rules_count; ++i)
    if (rules[i].verb == 'b') left = rules[i].value - used_bytes();
  pthread_mutex_unlock(&lock);
  return left > 0 ? left : 0;
}

/* Where a file ends that is to reach to `end`, as far as there is space. The caller has `growth`. */
static off64_t end_in_space(const char* call, const char* name, int file, off64_t end) {
  struct stat now;
  if (fstat(file, &now) != 0 || end <= now.st_size) return end;
  const long left = space_left();
  if (left >= end - now.st_size) return end;
  char line[256];
  snprintf(line, sizeof line, "%s %s %d\n", call, name, ENOSPC);
  log_failure(line);
  return now.st_size + left;
}

static void record(char code, const char* name, uint64_t offset, const void* data, size_t length) {
  if (!getenv("DISK_SHIM_TRACE")) return;
  unsigned char head[14 + 256];
  const size_t name_length = strlen(name);
  const uint32_t size = (uint32_t)length;
  head[0] = (unsigned char)code;
  head[1] = (unsigned char)name_length;
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &size, 4);
  memcpy(head + 14, name, name_length);
  pthread_mutex_lock(&lock);
  if (trace < 0)
    trace = (int)syscall(SYS_openat, AT_FDCWD, getenv("DISK_SHIM_TRACE"),
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (syscall(SYS_write, trace, head, 14 + name_length) != (long)(14 + name_length) ||
      syscall(SYS_write, trace, data, length) != (long)length) {
    perror("disk_shim: the trace cannot be written");
    abort();
  }
  pthread_mutex_unlock(&lock);
}

/* For the program itself, which finds it as a weak symbol. */
EXPORT void disk_shim_mark(const void* data, size_t length) { record('m', "", 0, data, length); }

static int open_file(const char* path, int flags, mode_t mode) {
  const char* name = inside(path);
  if (!name) return REAL(open)(path, flags, mode);
  const int error = verdict("open", name);
  if (error) return errno = error, -1;
  struct stat found;
  const int is_new = (flags & O_CREAT) && stat(path, &found) != 0;
  const int file = REAL(open)(path, flags, mode);
  if (file < 0) return file;
  if (file >= files_max) abort();
  names[file][0] = '/';
  strcpy(names[file] + 1, name);
  if (is_new) record('o', name, 0, "", 0);
  if (flags & O_TRUNC) record('t', name, 0, "", 0);
  return file;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

EXPORT int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags, mode);
}

EXPORT int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_file(path, flags | O_LARGEFILE, mode);
}

EXPORT int close(int file) {
  if (file >= 0 && file < files_max) names[file][0] = '\0';
  return REAL(close)(file);
}

static ssize_t write_at(const char* call, int file, const void* data, size_t size, off64_t offset) {
  const char* name = name_of(file);
  const int error = verdict(call, name);
  if (error > 0) return errno = error, -1;
  if (error < 0) size /= 2;
  pthread_mutex_lock(&growth);
  const off64_t end = end_in_space(call, name, file, offset + (off64_t)size);
  ssize_t done = -1;
  if (end > offset || size == 0) done = REAL(pwrite64)(file, data, (size_t)(end - offset), offset);
  else errno = ENOSPC;
  pthread_mutex_unlock(&growth);
  if (done > 0) record('w', name, (uint64_t)offset, data, (size_t)done);
  if (error < 0) return errno = -error, -1;
  return done;
}

EXPORT ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  if (!name_of(file)) return REAL(pwrite64)(file, data, size, offset);
  return write_at("pwrite", file, data, size, offset);
}

EXPORT ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  return pwrite64(file, data, size, offset);
}

EXPORT ssize_t write(int file, const void* data, size_t size) {
  if (!name_of(file)) return REAL(write)(file, data, size);
  const off64_t offset = lseek64(file, 0, SEEK_CUR);
  const ssize_t done = write_at("write", file, data, size, offset);
  if (done > 0) lseek64(file, offset + done, SEEK_SET);
  return done;
}

EXPORT ssize_t pread64(int file, void* data, size_t size, off64_t offset) {
  const int error = name_of(file) ? verdict("pread", name_of(file)) : 0;
  if (error) return errno = error, -1;
  return REAL(pread64)(file, data, size, offset);
}

EXPORT ssize_t pread(int file, void* data, size_t size, off_t offset) { return pread64(file, data, size, offset); }

EXPORT ssize_t read(int file, void* data, size_t size) {
  const int error = name_of(file) ? verdict("read", name_of(file)) : 0;
  if (error) return errno = error, -1;
  return REAL(read)(file, data, size);
}

static int sync_file(const char* call, int file, int (*sync)(int)) {
  const char* name = name_of(file);
  if (!name) return sync(file);
  record('b', name, 0, "", 0);
  const int error = verdict(call, name);
  const int result = error ? -1 : sync(file);
  if (error) errno = error;
  const int errno_before = errno;
  record(result == 0 ? 's' : 'e', name, 0, "", 0);
  errno = errno_before;
  return result;
}

EXPORT int fsync(int file) { return sync_file("fsync", file, REAL(fsync)); }
EXPORT int fdatasync(int file) { return sync_file("fdatasync", file, REAL(fdatasync)); }

EXPORT int ftruncate64(int file, off64_t size) {
  const char* name = name_of(file);
  const int error = name ? verdict("ftruncate", name) : 0;
  if (error) return errno = error, -1;
  pthread_mutex_lock(&growth);
  const int has_space = !name || end_in_space("ftruncate", name, file, size) == size;
  const int result = has_space ? REAL(ftruncate64)(file, size) : -1;
  if (!has_space) errno = ENOSPC;
  pthread_mutex_unlock(&growth);
  if (result == 0 && name) record('t', name, (uint64_t)size, "", 0);
  return result;
}

EXPORT int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

EXPORT int posix_fallocate64(int file, off64_t offset, off64_t size) {
  const char* name = name_of(file);
  const int error = name ? verdict("fallocate", name) : 0;
  if (error) return error;
  pthread_mutex_lock(&growth);
  const int has_space = !name || end_in_space("fallocate", name, file, offset + size) == offset + size;
  const int result = has_space ? REAL(posix_fallocate64)(file, offset, size) : ENOSPC;
  pthread_mutex_unlock(&growth);
  struct stat now;
  if (result == 0 && name && fstat(file, &now) == 0) record('t', name, (uint64_t)now.st_size, "", 0);
  return result;
}

EXPORT int posix_fallocate(int file, off_t offset, off_t size) { return posix_fallocate64(file, offset, size); }

EXPORT int unlink(const char* path) {
  const char* name = inside(path);
  const int error = name ? verdict("unlink", name) : 0;
  if (error) return errno = error, -1;
  if (REAL(unlink)(path) != 0) return -1;
  if (name) record('u', name, 0, "", 0);
  return 0;
}

EXPORT int rename(const char* from, const char* to) {
  const char* name = inside(from);
  const char* other = inside(to);
  const int error = name ? verdict("rename", name) : 0;
  if (error) return errno = error, -1;
  if (REAL(rename)(from, to) != 0) return -1;
  if (name && other) record('r', name, 0, other, strlen(other));
  return 0;
}

EXPORT int mkdir(const char* path, mode_t mode) {
  const char* name = inside(path);
  const int error = name ? verdict("mkdir", name) : 0;
  if (error) return errno = error, -1;
  if (REAL(mkdir)(path, mode) != 0) return -1;
  if (name) record('d', name, 0, "", 0);
  return 0;
}
