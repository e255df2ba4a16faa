/* A release of Darwin that nobody knows, and code-signing flags that cannot be read: signals, in words, and an error
 * for who asks for Mach ports; no port is made for it. An identity that is empty or a megabyte long decides nothing.
 * The program's own csops and sysctlbyname stand in front of the system's. */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"
#include "thread_ports.h"

/* What they say instead of the truth; NULL and -1 are the truth. */
static const char *darwin;
static int flags_are_unreadable;
static long identity_length = -1;

int sysctlbyname(const char *name, void *old, size_t *size, void *new, size_t new_size);
int csops(pid_t pid, unsigned int operation, void *buffer, size_t size);

typedef int (*sysctlbyname_t)(const char *, void *, size_t *, void *, size_t);
typedef int (*csops_t)(pid_t, unsigned int, void *, size_t);

int sysctlbyname(const char *name, void *old, size_t *size, void *new, size_t new_size) {
  if (darwin == NULL || strcmp(name, "kern.osrelease") != 0) {
    sysctlbyname_t real;
    *(void **)&real = dlsym(RTLD_NEXT, "sysctlbyname");
    return real(name, old, size, new, new_size);
  }
  const size_t needed = strlen(darwin) + 1;
  if (*size < needed) {
    errno = ENOMEM;
    return -1;
  }
  memcpy(old, darwin, needed);
  *size = needed;
  return 0;
}

int csops(pid_t pid, unsigned int operation, void *buffer, size_t size) {
  enum { STATUS = 0, IDENTITY = 11, HEADER = 8 };
  if (operation == STATUS && flags_are_unreadable) {
    errno = EPERM;
    return -1;
  }
  if (operation != IDENTITY || identity_length < 0) {
    csops_t real;
    *(void **)&real = dlsym(RTLD_NEXT, "csops");
    return real(pid, operation, buffer, size);
  }
  const size_t length = HEADER + (size_t)identity_length + 1;
  must(size >= HEADER);
  unsigned char *const out = buffer;
  memset(out, 0, HEADER);
  for (int i = 0; i < 4; i++) out[4 + i] = (unsigned char)(length >> (24 - 8 * i));
  if (size < length) {
    errno = ERANGE;
    return -1;
  }
  memset(out + HEADER, 'x', (size_t)identity_length);
  out[length - 1] = '\0';
  return 0;
}

static void signals_because(const char *why) {
  const task_rights_t rights = task_rights_now();
  must(setenv("WASMTRAP_BACKEND", "mach", 1) == 0);
  same(wasmtrap_init(NULL), WASMTRAP_ERR_UNSUPPORTED, "who asks for Mach ports is refused");
  contains(wasmtrap_last_error(), why, "and told why");
  same_task_rights(&rights, "without a port");
  must(unsetenv("WASMTRAP_BACKEND") == 0);
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  wasmtrap_backend_t backend = 0;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  same(backend, WASMTRAP_BACKEND_SIGNALS, "AUTO takes signals");
  char *const text = described();
  contains(text, why, "and says why");
  free(text);
  same_task_rights(&rights, "without a port");
  traps_by_signals("a trap by a signal");
  simulated_exceptions_t exceptions;
  must(simulated_exceptions(&exceptions) == KERN_SUCCESS);
  same(exceptions.violations, 0, "no violation");
}

static void a_later_darwin(void) {
  darwin = "26.0.0";
  signals_because("this is none: Darwin 26.0.0");
}

static void words_for_a_version(void) {
  darwin = "twenty-three.four";
  signals_because("this is none: Darwin twenty-three.four");
}

static void half_a_version(void) {
  darwin = "23";
  signals_because("this is none: Darwin 23");
}

static void no_version(void) {
  darwin = "";
  signals_because("Darwin of a version that is not told");
}

static void a_version_without_end(void) {
  static char digits[4096];
  memset(digits, '2', sizeof digits - 1);
  darwin = digits;
  signals_because("Darwin of a version that is not told");
}

static void unreadable_flags(void) {
  flags_are_unreadable = 1;
  signals_because("code-signing flags cannot be read");
}

static void any_identity(long length, const char *words) {
  identity_length = length;
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  wasmtrap_backend_t backend = 0;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  same(backend, WASMTRAP_BACKEND_MACH_PORTS, "nothing is decided by it");
  char *const text = described();
  contains(text, words, "the description says what it is");
  free(text);
  traps_by_ports("a trap by the port");
}

static void empty_identity(void) { any_identity(0, "signed with an empty identity"); }
static void long_identity(void) { any_identity(1 << 20, "signed as nobody who can be told"); }
static void longest_identity(void) { any_identity(256, "xxxxxxxxxxxxxxxx; "); }
static void one_too_long(void) { any_identity(257, "signed as nobody who can be told"); }

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"a Darwin of the future", a_later_darwin, 0},
      {"words for a version", words_for_a_version, 0},
      {"half a version", half_a_version, 0},
      {"no version", no_version, 0},
      {"a version of four thousand digits", a_version_without_end, 0},
      {"flags that cannot be read", unreadable_flags, 0},
      {"an empty identity", empty_identity, 0},
      {"an identity of a megabyte", long_identity, 0},
      {"the longest identity that is shown", longest_identity, 0},
      {"one more", one_too_long, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
