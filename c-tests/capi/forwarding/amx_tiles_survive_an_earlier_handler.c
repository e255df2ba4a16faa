/* A fault of the host's goes to an earlier handler, or to the fault handler, while AMX's tiles are in use. The code
 * goes on with all of their bytes, whatever the handler, and signals on the alternate stack meanwhile, have done. */
#include "amx.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(HAS_AMX_INTERFACE)
static unsigned char first[TILE_BYTES], last[TILE_BYTES], other[TILE_BYTES];

static unsigned char byte_of(int tile, int byte) { return (unsigned char)(tile * 101 + byte * 7 + (byte >> 8)); }

static void overwrite(void) {
  amx_configure();
  amx_load(other, other);
}

static void on_alternate_stack(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  overwrite();
}

static void handler(int signal, siginfo_t *info, void *context) {
  /* A signal that begins at the alternate stack's top, where the first frame was. */
  raise(SIGUSR1);
  overwrite();
  mending_handler(signal, info, context);
}

static wasmtrap_verdict_t resume(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  overwrite();
  make_accessible((void *)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void check(const char *name) {
  for (int byte = 0; byte < TILE_BYTES; byte++) {
    first[byte] = byte_of(1, byte);
    last[byte] = byte_of(2, byte);
    other[byte] = (unsigned char)~byte_of(3, byte);
  }
  const volatile unsigned char *const page = inaccessible_page();
  amx_configure();
  amx_load_access_store(first, last, page);
  amx_release();
  int wrong = 0;
  for (int byte = 0; byte < TILE_BYTES; byte++) wrong += first[byte] != byte_of(1, byte);
  same(wrong, 0, "%s: wrong bytes of the first tile", name);
  wrong = 0;
  for (int byte = 0; byte < TILE_BYTES; byte++) wrong += last[byte] != byte_of(2, byte);
  same(wrong, 0, "%s: wrong bytes of the last tile", name);
}

static void run(void *flags) {
  must(amx_request());
  install_handler(SIGUSR1, on_alternate_stack, SA_ONSTACK);
  install_handler(SIGSEGV, handler, *(const int *)flags);
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  check("an earlier handler");
  same(mending_calls, 1, "it was called");
  check("an earlier handler, again");
  must(wasmtrap_set_fault_handler(resume, NULL) == WASMTRAP_OK);
  check("the fault handler");
  same(mending_calls, 2, "and not the other one");
}

int main(void) {
  if (!amx_is_there()) return tap_skip_all("the processor or the kernel has no AMX");
  int flags = 0;
  child_passes(run, &flags, "on the interrupted stack");
  flags = SA_ONSTACK;
  child_passes(run, &flags, "on the alternate stack");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("AMX is x86-64's, and the way to ask for it Linux's"); }
#endif
