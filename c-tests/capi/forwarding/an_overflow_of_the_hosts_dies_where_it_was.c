/* The host's own stack overflows, and its handler was installed without SA_ONSTACK: as without the library, there is no
 * room to call it, and the process dies where the overflow was, which is what a core dump shows. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static void never_called(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  _exit(20);
}

static void overflow(void) {
  static wasm_access_t count;
  wasm_recurse.function(&count);
}

static void *overflow_on_a_thread(void *attach) {
  if (attach != NULL) {
    must(wasmtrap_thread_attach() == WASMTRAP_OK);
  } else {
    /* An alternate stack of the host's own, of which the library knows nothing. */
    stack_t stack = {0};
    stack.ss_size = 64 * 1024;
    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(stack.ss_sp != MAP_FAILED && sigaltstack(&stack, NULL) == 0);
  }
  overflow();
  return NULL;
}

static void begin(void) {
  install_handler(SIGSEGV, never_called, 0);
  host_init();
}

static void on_the_main_thread(void *attach) {
  begin();
  overflow_on_a_thread(attach);
}

static void on_a_thread(void *attach) {
  begin();
  pthread_t thread;
  must(pthread_create(&thread, NULL, overflow_on_a_thread, attach) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
#if defined(__APPLE__)
  return tap_skip_all("XNU has no core dump to look at here");
#endif
  static int attach;
  const size_t pc = wasm_fault_pc(&wasm_recurse);
  child_dies_at(SIGSEGV, pc, on_the_main_thread, &attach, "on the main thread");
  child_dies_at(SIGSEGV, pc, on_the_main_thread, NULL, "on the main thread, not attached");
  child_dies_of(PROTECTED_PAGE_SIGNAL, on_a_thread, &attach, "on a thread");
  child_dies_of(PROTECTED_PAGE_SIGNAL, on_a_thread, NULL, "on a thread that is not attached");
  return tap_done();
}
