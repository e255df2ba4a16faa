/* Linux's seccomp filters, where the compiler comes with the kernel's headers, as musl's does not: HAS_FILTERS. QEMU's
 * user emulation has none. */
#ifndef FILTER_H
#define FILTER_H

#if defined(__linux__) && !EMULATED && defined(__has_include)
#if __has_include(<linux/filter.h>)
#define HAS_FILTERS 1
#endif
#endif

#ifdef HAS_FILTERS
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tap.h"

/* From now on the calling thread's system calls go by these instructions, too. */
static inline void install_filter(const struct sock_filter *instructions, size_t count) {
  const struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)instructions};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* What comes of this system call from now on (SECCOMP_RET_*). */
static inline void answer_call(long number, uint32_t action) {
  const struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install_filter(instructions, sizeof instructions / sizeof *instructions);
}
#endif

#endif
