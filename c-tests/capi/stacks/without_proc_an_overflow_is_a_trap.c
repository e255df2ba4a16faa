/* Without /proc, as in some containers, nothing tells where the main thread's stack is. Its overflow is a trap all the
 * same, also under a limit that has been raised since; that of another thread is one as anywhere. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"

static void overflow(const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... in the guard area of the stack");
}

static void *on_a_thread(void *unused) {
  (void)unused;
  overflow("another thread");
  return NULL;
}

int main(void) {
  /* A name space of its own, in which something else lies over /proc. */
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return tap_skip_all("this process may have no name space of its own");
  }
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/proc", "tmpfs", 0, NULL) != 0) {
    return tap_skip_all("this process may mount nothing");
  }
  must(access("/proc/self/maps", F_OK) != 0 && errno == ENOENT);
  host_init();
  host_register_strict_code(&wasm_recurse);
  overflow("the main thread");
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  if (limit.rlim_cur != RLIM_INFINITY) {
    limit.rlim_cur += (rlim_t)8 << 20;
    if (setrlimit(RLIMIT_STACK, &limit) == 0) overflow("the main thread, under a limit that has been raised");
  }
  pthread_t thread;
  must(pthread_create(&thread, NULL, on_a_thread, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
  return tap_done();
}
