/* csops, sysctlbyname and proc_pidinfo say what the profile is, as the kernel says it, and too small a buffer says so.
 * */
#include <errno.h>
#include <libproc.h>
#include <string.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "host_profile.h"

int csops(pid_t pid, unsigned int operation, void *buffer, size_t size);

static uint32_t big_endian(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static const char *expected_entitlement(void) {
  if (host_is("hardened-only-one-exception-port")) return "com.apple.security.only-one-exception-port";
  if (host_is("library-validation-off-15")) return "com.apple.security.cs.disable-library-validation";
  return NULL;
}

static void entitlements(unsigned int operation, uint32_t magic) {
  const char *const key = expected_entitlement();
  unsigned char blob[2048];
  memset(blob, 0xee, sizeof blob);
  errno = 0;
  same(csops(getpid(), operation, blob, 4), -1, "no room for a header");
  same(errno, ERANGE, "is ERANGE");
  if (key == NULL) {
    same(csops(getpid(), operation, blob, sizeof blob), 0, "a program without entitlements");
    same(big_endian(blob + 4), 0, "has none");
    return;
  }
  errno = 0;
  same(csops(getpid(), operation, blob, 8), -1, "no room for the entitlements");
  same(errno, ERANGE, "is ERANGE");
  const uint32_t size = big_endian(blob + 4);
  same(csops(getpid(), operation, blob, size), 0, "with as much room as was said");
  same(big_endian(blob), magic, "there is the blob");
  same(big_endian(blob + 4), size, "of that size");
  const size_t length = strlen(key);
  int found = 0;
  for (size_t i = 8; i + length <= size; i++) found += memcmp(blob + i, key, length) == 0;
  same(found, 1, "with the entitlement");
}

static void identity(void) {
  enum { IDENTITY = 11, HEADER = 8 };
  const char *const expected = host_is("plugin-host-14.4") ? "org.python.python"
                               : host_is_hardened()         ? "com.apple.python3"
                                                            : "org.example.host";
  unsigned char blob[256];
  memset(blob, 0xee, sizeof blob);
  errno = 0;
  same(csops(getpid(), IDENTITY, blob, HEADER - 1), -1, "no room for the identity's header");
  same(errno, ERANGE, "is ERANGE");
  errno = 0;
  same(csops(getpid(), IDENTITY, blob, HEADER), -1, "no room for the identity");
  same(errno, ERANGE, "is ERANGE");
  const uint32_t size = big_endian(blob + 4);
  same(size, HEADER + strlen(expected) + 1, "but its size is told");
  same(blob[HEADER], 0xee, "and nothing else");
  same(csops(getpid(), IDENTITY, blob, size), 0, "with as much room as was said");
  same_text((const char *)blob + HEADER, expected, "there is the identity");
  same(blob[size], 0xee, "and nothing behind it");
}

int main(void) {
  enum { STATUS = 0, ENTITLEMENTS = 7, DER_ENTITLEMENTS = 16 };
  uint32_t flags = 0;
  same(csops(getpid(), STATUS, &flags, sizeof flags), 0, "the status of the signature");
  same((flags & 0x04000000) != 0, host_is_hardened(), "says whether it is Apple's own");
  same((flags & 0x00010000) != 0, host_is("hardened-only-one-exception-port"), "and whether its runtime is hardened");
  errno = 0;
  same(csops(999999999, STATUS, &flags, sizeof flags), -1, "a process that is not there");
  same(errno, ESRCH, "is ESRCH");
  entitlements(ENTITLEMENTS, 0xfade7171);
  entitlements(DER_ENTITLEMENTS, 0xfade7172);
  identity();

  char version[32] = "";
  size_t size = sizeof version;
  same(sysctlbyname("kern.osproductversion", version, &size, NULL, 0), 0, "the system's version");
  same(size, strlen(version) + 1, "with its zero");
  const char *const expected = host_is("apple-python-13") ? "13." : host_is("apple-python-26") ? "26." : "1";
  same_text(strncmp(version, expected, strlen(expected)) == 0 ? "that one" : version, "that one", "of the profile");
  size = 2;
  errno = 0;
  same(sysctlbyname("kern.osrelease", version, &size, NULL, 0), -1, "no room");
  same(errno, ENOMEM, "is ENOMEM");
  size = 0;
  same(sysctlbyname("kern.osrelease", NULL, &size, NULL, 0), 0, "no buffer");
  ok(size > 3, "asks for the size");
  int translated = 5;
  size = sizeof translated;
  same(sysctlbyname("sysctl.proc_translated", &translated, &size, NULL, 0), 0, "Rosetta");
  same(translated, host_is("translated"), "where it is");
  errno = 0;
  same(sysctlbyname("kern.no_such_thing", NULL, &size, NULL, 0), -1, "what is not there");
  same(errno, ENOENT, "is ENOENT");
  struct proc_bsdinfo information;
  same(sizeof information, 136, "struct proc_bsdinfo has its size");
  same(proc_pidinfo(getpid(), PROC_PIDTBSDINFO, 0, &information, sizeof information), sizeof information, "is told");
  same(information.pbi_pid, getpid(), "of this process");
  same(information.pbi_flags & PROC_FLAG_EXEC, PROC_FLAG_EXEC, "which has called exec");
  same(proc_pidinfo(getpid(), PROC_PIDTBSDINFO, 0, &information, 8), 0, "not into half of it");
  return tap_done();
}
