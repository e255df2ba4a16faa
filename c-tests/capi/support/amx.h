/* AMX: eight tiles of 1 KiB, which make a signal frame of some 11 KiB. Linux gives them to a process that asks. */
#ifndef AMX_H
#define AMX_H

#if defined(__linux__) && defined(__x86_64__)
#define HAS_AMX_INTERFACE 1
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TILE_BYTES = 1024, TILE_ROW = 64 };

/* Whether this process may use tiles now. Linux asks each thread's alternate stack for room first (x86's
 * validate_sigaltstack in arch/x86/kernel/signal.c, called by __xstate_request_perm), and remembers it for forked
 * children. */
static inline int amx_request(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

/* Whether the processor has them, and the kernel keeps them: AMX-TILE, and bits 17 and 18 of XCR0. */
static inline int amx_is_there(void) {
  unsigned a, b, c, d, enabled, above;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (1U << 24)) == 0) return 0;
  __asm__("xgetbv" : "=a"(enabled), "=d"(above) : "c"(0));
  return (enabled & 0x60000) == 0x60000;
}

/* Makes tmm0 and tmm7 whole tiles, of 16 rows of 64 bytes. */
static inline void amx_configure(void) {
  unsigned char configuration[64];
  memset(configuration, 0, sizeof configuration);
  configuration[0] = 1;
  configuration[16] = configuration[16 + 2 * 7] = TILE_ROW;
  configuration[48] = configuration[48 + 7] = TILE_BYTES / TILE_ROW;
  __asm__ volatile("ldtilecfg %0" : : "m"(configuration) : "memory");
}

static inline void amx_load(const void *first, const void *last) {
  __asm__ volatile("tileloadd (%0,%2,1), %%tmm0\n\ttileloadd (%1,%2,1), %%tmm7"
                   : : "r"(first), "r"(last), "r"((long)TILE_ROW) : "memory");
}

/* The same, then a load of a byte that may fault, then both tiles are stored to where they came from. */
static inline void amx_load_access_store(void *first, void *last, const volatile void *page) {
  __asm__ volatile("tileloadd (%0,%2,1), %%tmm0\n\ttileloadd (%1,%2,1), %%tmm7\n\t"
                   "movb (%3), %%al\n\t"
                   "tilestored %%tmm0, (%0,%2,1)\n\ttilestored %%tmm7, (%1,%2,1)"
                   : : "r"(first), "r"(last), "r"((long)TILE_ROW), "r"(page) : "memory", "rax");
}

static inline void amx_release(void) { __asm__ volatile("tilerelease" : : : "memory"); }
#endif

#endif
