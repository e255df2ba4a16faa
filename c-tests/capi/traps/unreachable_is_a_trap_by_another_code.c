/* gVisor and Valgrind report ud2 with ILL_ILLOPC where Linux on x86-64 says ILL_ILLOPN, and leave no trap number. It is
 * `unreachable` all the same; what is no instruction by mistake, and what a process sends, is not. */
#include <signal.h>

#include "context.h"
#include "handlers.h"
#include "host.h"

#if defined(__x86_64__) && defined(__linux__)

static volatile int sent, taken, left;

/* As those have it. */
static void on_sigill(int signal, siginfo_t *info, void *context) {
  ucontext_t *const ucontext = context;
  info->si_code = sent ? SI_TKILL : ILL_ILLOPC;
  ucontext->uc_mcontext.gregs[REG_TRAPNO] = 0;
  if (wasmtrap_try_handle_signal(signal, info, context)) {
    taken++;
  } else {
    left++;
    /* Each of the instructions here has two bytes. */
    ucontext->uc_mcontext.gregs[REG_RIP] += 2;
  }
}

static wasmtrap_status_t run(const unsigned char *instruction, wasmtrap_trap_t *trap) {
  unsigned char *const code = wasm_code_buffer(page_size());
  code[0] = instruction[0];
  code[1] = instruction[1];
  code[2] = 0xc3; /* ret */
  const wasmtrap_code_desc_t desc = {.struct_size = sizeof desc, .start = code, .length = 3};
  uint64_t id;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  *trap = host_new_trap();
  return wasmtrap_call((wasmtrap_function_t)(uintptr_t)code, NULL, trap);
}

int main(void) {
  const wasmtrap_options_t options = {.struct_size = sizeof options,
                                      .flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS,
                                      .backend = WASMTRAP_BACKEND_SIGNALS};
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  install_handler(SIGILL, on_sigill, SA_ONSTACK);
  wasmtrap_trap_t trap;
  static const unsigned char ud2[] = {0x0f, 0x0b}, ud0[] = {0x0f, 0xff}, none[] = {0x06, 0x90};
  trapped_with(run(ud2, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "ud2");
  same(trap.signal_code, ILL_ILLOPC, "the record has the code as it came");
  trapped_with(run(ud0, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "ud0");
  same(taken, 2, "both were the library's");
  same(run(none, &trap), WASMTRAP_OK, "an instruction that 64-bit mode does not have");
  same(left, 1, "is left to the host");
  sent = 1;
  same(run(ud2, &trap), WASMTRAP_OK, "what a process has sent");
  same(left, 2, "is left to the host, too");
  return tap_done();
}

#else

int main(void) { return tap_skip_all("the code is Linux's, on x86-64"); }

#endif
