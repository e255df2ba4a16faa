/* A fault in Wasmtime's code that Wasmtime's handler returns from is a crash: it reaches the handler that was there
 * before, with every register as the instruction left it, and the core dump shows that instruction. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "platform.h"
#include "process.h"
#include "tap.h"

/* Where a signal frame has the vector registers and the floating-point modes, and which of them are known here. */
#if defined(__x86_64__)
enum { FIRST_VECTOR = 160, MODES = 24 };
static const size_t KNOWN_VECTORS[] = {0, 1, 7, 15};
#else
enum { FIRST_VECTOR = 16, MODES = 8 };
static const size_t KNOWN_VECTORS[] = {0, 1, 8, 31};
#endif

static int asked;
static ucontext_t seen;
static uint8_t vectors[512 + 2048];

static void refuse(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr) {
  (void)ip, (void)fp, (void)has_faulting_addr, (void)faulting_addr;
  /* Uses vector registers, as any compiled code may. */
  volatile double sum = 0;
  for (int i = 0; i < 100; i++) sum = sum * 0.5 + i;
  asked++;
}

/* Remembers the context and skips the instruction. */
static void earlier(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  ucontext_t *now = context;
  seen = *now;
#if defined(__x86_64__)
  memcpy(vectors, now->uc_mcontext.fpregs, 512);
  now->uc_mcontext.gregs[REG_RIP] += 2;
#else
  memcpy(vectors, now->uc_mcontext.__reserved, 528);
  now->uc_mcontext.pc += 4;
#endif
}

/* Calls the faulting code with known values in all registers but the frame pointer, as C alone would not. */
static void call_with_known_registers(const engine_t *engine) {
#if defined(__x86_64__)
  register uintptr_t target __asm__("r11") = (uintptr_t)engine->load;
  __asm__ volatile(
      "mov $0x1111111111111111, %%rax; mov $0x2222222222222222, %%rcx; mov $0x3333333333333333, %%rdx\n\t"
      "mov $0x4444444444444444, %%rsi; mov $0x5555555555555555, %%r8; mov $0x6666666666666666, %%r9\n\t"
      "mov $0x7777777777777777, %%r10; mov $8, %%edi; mov $0x88888888, %%ebx; mov $0x99999999, %%r12d\n\t"
      "mov $0xaaaaaaaa, %%r13d; mov $0xbbbbbbbb, %%r14d; mov $0xcccccccc, %%r15d\n\t"
      "movq %%rax, %%xmm0; movq %%rcx, %%xmm1; movq %%rdx, %%xmm7; movq %%rsi, %%xmm15\n\t"
      "call *%%r11"
      :
      : "r"(target)
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "rbx", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
        "xmm7", "xmm15", "memory", "cc");
#else
  register uintptr_t target __asm__("x16") = (uintptr_t)engine->load;
  __asm__ volatile(
      "mov x0, #8; mov x1, #0x1111; mov x2, #0x2222; mov x3, #0x3333; mov x4, #0x4444; mov x5, #0x5555\n\t"
      "mov x6, #0x6666; mov x7, #0x7777; mov x8, #0x8888; mov x9, #0x9999; mov x10, #0xaaaa; mov x11, #0xbbbb\n\t"
      "mov x12, #0xcccc; mov x13, #0xdddd; mov x14, #0xeeee; mov x15, #0xffff; mov x17, #0x1717\n\t"
      "mov x19, #0x1919; mov x20, #0x2020; mov x21, #0x2121; mov x22, #0x2222; mov x23, #0x2323\n\t"
      "mov x24, #0x2424; mov x25, #0x2525; mov x26, #0x2626; mov x27, #0x2727; mov x28, #0x2828\n\t"
      "fmov d0, x1; fmov d1, x2; fmov d8, x3; fmov d31, x4\n\t"
      "blr x16"
      :
      : "r"(target)
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x17",
        "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0",
        "v1", "v8", "v31", "memory", "cc");
#endif
}

/* The same faulting call, at the same place of the stack. */
static void __attribute__((noinline)) fault(const engine_t *engine) {
  memset(&seen, 0, sizeof seen);
  call_with_known_registers(engine);
}

static void crash(void *argument) {
  const engine_t *engine = argument;
  enter_wasm();
  engine->load((const void *)8);
}

int main(void) {
  static ucontext_t plain, refused;
  static uint8_t plain_vectors[sizeof vectors], refused_vectors[sizeof vectors];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = earlier;
  action.sa_flags = SA_SIGINFO;
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  same(wasmtime_init_traps(refuse), 0, "init");
  engine_t engine = new_code();

  enter_wasm();
  leave_wasm();
  fault(&engine);
  plain = seen;
  memcpy(plain_vectors, vectors, sizeof vectors);
  same(asked, 0, "outside of Wasm the handler is not asked");
  enter_wasm();
  fault(&engine);
  leave_wasm();
  refused = seen;
  memcpy(refused_vectors, vectors, sizeof vectors);
  same(asked, 1, "inside it is, once");
#if defined(__x86_64__)
  for (int i = 0; i < REG_EFL; i++)
    same(refused.uc_mcontext.gregs[i], plain.uc_mcontext.gregs[i], "general register %d", i);
#else
  for (int i = 0; i < 31; i++) same(refused.uc_mcontext.regs[i], plain.uc_mcontext.regs[i], "general register %d", i);
  same(refused.uc_mcontext.sp, plain.uc_mcontext.sp, "stack pointer");
  same(refused.uc_mcontext.pc, plain.uc_mcontext.pc, "program counter");
#endif
  for (size_t i = 0; i < sizeof KNOWN_VECTORS / sizeof *KNOWN_VECTORS; i++) {
    size_t at = FIRST_VECTOR + 16 * KNOWN_VECTORS[i];
    uint64_t value;
    memcpy(&value, refused_vectors + at, sizeof value);
    int same_bytes = memcmp(plain_vectors + at, refused_vectors + at, 16) == 0;
    ok(value != 0 && same_bytes, "vector register %zu", KNOWN_VECTORS[i]);
  }
  ok(memcmp(plain_vectors + MODES, refused_vectors + MODES, 8) == 0, "the floating-point modes");
  enter_wasm();
  for (int i = 0; i < 1000; i++) fault(&engine);
  same(asked, 1001, "a thousand more are refused, each asked once");
  leave_wasm();

  signal(SIGSEGV, SIG_DFL);
  must(wasmtime_init_traps(refuse) == 0);
  child_dies_of(SIGSEGV, crash, &engine, "with no handler there, the process");
  return tap_done();
}
