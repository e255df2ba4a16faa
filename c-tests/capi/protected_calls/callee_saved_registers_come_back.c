/* After wasmtrap_call, returned or trapped, the callee-saved registers, the stack pointer and the floating-point
 * control registers are what they were, whatever the code left in them. The x87 stack is empty, the direction flag
 * clear. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "registers.h"

static uint64_t default_control[2];

static void check(const char *how, const uint64_t after[REGISTERS_AFTER]) {
#if defined(__x86_64__)
  static const struct {
    const char *name;
    uint64_t expected;
  } registers[] = {{"rbx", REGISTER_KEPT(0)}, {"rbp", REGISTER_KEPT(1)}, {"rsp", 0},
                   {"r12", REGISTER_KEPT(3)}, {"r13", REGISTER_KEPT(4)}, {"r14", REGISTER_KEPT(5)},
                   {"r15", REGISTER_KEPT(6)}};
  for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
    same(after[i], registers[i].expected, "%s: %s", how, registers[i].name);
  }
  same(after[7] & 0xffc0, default_control[0], "%s: MXCSR", how);
  same(after[8], default_control[1], "%s: x87 control word", how);
  same(after[9], 0xffff, "%s: x87 stack is empty", how);
  same(after[10] & 0x400, 0, "%s: direction flag is clear", how);
  same(after[10] & 0x40000, 0, "%s: alignment check is off", how);
#else
  for (size_t i = 0; i < 11; i++) same(after[i], REGISTER_KEPT(19 + i), "%s: x%zu", how, 19 + i);
  same(after[11], 0, "%s: sp", how);
  for (size_t i = 0; i < 8; i++) same(after[12 + i], REGISTER_KEPT(8 + i), "%s: d%zu", how, 8 + i);
  same(after[20], default_control[0], "%s: FPCR", how);
#endif
}

static void set_control(uint64_t first, uint64_t second) {
  default_control[0] = first;
  default_control[1] = second;
#if defined(__x86_64__)
  const uint32_t mxcsr = (uint32_t)first;
  const uint16_t x87 = (uint16_t)second;
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(first));
#endif
}

static void raise_after_clobbering(void *unused) {
  (void)unused;
#if defined(__x86_64__)
  const uint32_t mxcsr = 0x7f80;
  const uint16_t x87 = 0x0f7f;
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1\n\tfld1" : : "m"(mxcsr), "m"(x87) : "st");
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(UINT64_C(0x1c00000)));
#endif
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
}

/* Each way in which a handler can end: the library's own, and rt_sigreturn, where another handler has called it. */
static struct sigaction below;
static void calls_the_librarys(int signal, siginfo_t *info, void *context) {
  below.sa_sigaction(signal, info, context);
  NOT_A_TAIL_CALL();
}

static const struct {
  const char *name;
  signal_handler_t handler;
} ways[] = {{"by the library's handler", NULL}, {"by another's that calls it", calls_the_librarys}};

static void call_all(const char *control) {
  uint64_t after[REGISTERS_AFTER] = {0};
  wasmtrap_trap_t trap = host_new_trap();
  tap_note("%s", control);

  uint64_t word = 0;
  wasm_access_t access = {address_of(&word), 0};
  same(call_and_compare_registers(wasm_load.function, &access, &trap, after), WASMTRAP_OK, "a call that returns");
  check("returned", after);

  access.address = address_of(inaccessible_page());
  same(call_and_compare_registers(wasm_clobber_and_load.function, &access, &trap, after), WASMTRAP_TRAPPED, "a fault");
  check("fault", after);
  same(call_and_compare_registers(wasm_clobber_and_load.function, &access, NULL, after), WASMTRAP_TRAPPED,
       "a fault without a record");
  check("fault without a record", after);

  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
    struct sigaction replaced;
    if (ways[way].handler != NULL) replaced = below = install_handler(SIGSEGV, ways[way].handler, SA_ONSTACK);
    same(call_and_compare_registers(wasm_clobber_and_load.function, &access, &trap, after), WASMTRAP_TRAPPED, "%s",
         ways[way].name);
    check(ways[way].name, after);
#if defined(__x86_64__)
    same(call_and_compare_registers(wasm_disturb_and_load.function, &access, &trap, after), WASMTRAP_TRAPPED,
         "%s, with flags that no function may leave on", ways[way].name);
    check(ways[way].name, after);
#endif
    if (ways[way].handler != NULL) must(sigaction(SIGSEGV, &replaced, NULL) == 0);
  }

  same(call_and_compare_registers(raise_after_clobbering, NULL, &trap, after), WASMTRAP_TRAPPED, "a raise");
  check("raise", after);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_clobber_and_load);
#if defined(__x86_64__)
  host_register_code(&wasm_disturb_and_load);
#endif
#if defined(__x86_64__)
  set_control(0x1f80, 0x037f);
  call_all("default floating-point control");
  set_control(0xbfc0, 0x0a7f);
  call_all("the host's own: other rounding, denormals are zero");
  set_control(0x1f80, 0x037f);
#else
  set_control(0, 0);
  call_all("default floating-point control");
  set_control(0x2400000, 0);
  call_all("the host's own: other rounding, default NaN");
  set_control(0, 0);
#endif
  return tap_done();
}
