/* A fault of the host's goes to an earlier handler that runs on the interrupted stack, as it asked for. The vector
 * registers are whole when the code goes on, all of their bytes, whatever the handler, and signals on the alternate
 * stack meanwhile, have done to them; and what the handler writes into its context's vector state takes effect. */
#include <signal.h>
#include <string.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { REGISTERS = 16, BYTES = 32 };
static unsigned char expected[REGISTERS][BYTES], found[REGISTERS][BYTES], other[REGISTERS][BYTES];
static size_t width;
static int changes_context;
static volatile int elsewhere;

#if defined(__x86_64__)
#define EACH(move, of) \
  of(move, 0) of(move, 1) of(move, 2) of(move, 3) of(move, 4) of(move, 5) of(move, 6) of(move, 7) of(move, 8) \
  of(move, 9) of(move, 10) of(move, 11) of(move, 12) of(move, 13) of(move, 14) of(move, 15)
#define LOAD(move, n) move " " #n "*32(%0), %%" VECTOR #n "\n\t"
#define STORE(move, n) move " %%" VECTOR #n ", " #n "*32(%1)\n\t"

/* Loads all registers, faults, and stores them. */
static void avx_fault(const void *from, void *to, const volatile void *page) {
#define VECTOR "ymm"
  __asm__ volatile(EACH("vmovdqu", LOAD) "mov (%2), %%al\n\t" EACH("vmovdqu", STORE) "vzeroupper"
                   : : "r"(from), "r"(to), "r"(page) : "memory", "rax");
}
static void avx_load(const void *from) {
  __asm__ volatile(EACH("vmovdqu", LOAD) : : "r"(from) : "memory");
#undef VECTOR
}
#define VECTOR "xmm"
static void sse_fault(const void *from, void *to, const volatile void *page) {
  __asm__ volatile(EACH("movdqu", LOAD) "mov (%2), %%al\n\t" EACH("movdqu", STORE)
                   : : "r"(from), "r"(to), "r"(page) : "memory", "rax");
}
static void sse_load(const void *from) { __asm__ volatile(EACH("movdqu", LOAD) : : "r"(from) : "memory"); }
/* By the processor's own word: not every linker has the compiler's table of features. */
static int has_avx(void) {
  unsigned a, b, c, d, enabled, above;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_AVX) == 0 || (c & bit_OSXSAVE) == 0) return 0;
  __asm__("xgetbv" : "=a"(enabled), "=d"(above) : "c"(0));
  return (enabled & 6) == 6;
}
static void fault(const volatile void *page) { (has_avx() ? avx_fault : sse_fault)(expected, found, page); }
static void overwrite(void) { (has_avx() ? avx_load : sse_load)(other); }
static size_t register_width(void) { return has_avx() ? 32 : 16; }
#else
#define EACH(of) of(0) of(1) of(2) of(3) of(4) of(5) of(6) of(7) of(8) of(9) of(10) of(11) of(12) of(13) of(14) of(15)
#define LOAD(n) "ldr q" #n ", [%0, #" #n "*32]\n\t"
#define STORE(n) "str q" #n ", [%1, #" #n "*32]\n\t"
static void fault(const volatile void *page) {
  __asm__ volatile(EACH(LOAD) "ldrb w9, [%2]\n\t" EACH(STORE)
                   : : "r"(expected), "r"(found), "r"(page)
                   : "memory", "x9", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
                     "v13", "v14", "v15");
}
static void overwrite(void) {
  __asm__ volatile(EACH(LOAD)
                   : : "r"(other)
                   : "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                     "v14", "v15");
}
static size_t register_width(void) { return 16; }
#endif

static void on_alternate_stack(int signal) {
  (void)signal;
  stack_t now;
  if (sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_ONSTACK) == 0) elsewhere++;
  overwrite();
}

static void change_context(void *context) {
#if defined(__linux__) && defined(__x86_64__)
  memset(CONTEXT_REGISTERS(context).fpregs->_xmm[3].element, 0x77, 16);
  memset(expected[3], 0x77, 16);
#else
  (void)context;
#endif
}

static void handler(int signal, siginfo_t *info, void *context) {
  /* A signal that begins at the alternate stack's top, where the first frame was. */
  raise(SIGUSR1);
  overwrite();
  if (changes_context) change_context(context);
  mending_handler(signal, info, context);
}

static void check(const char *name) {
  for (int index = 0; index < REGISTERS; index++) {
    for (int byte = 0; byte < BYTES; byte++) {
      expected[index][byte] = (unsigned char)(index * 16 + byte + 1);
      other[index][byte] = (unsigned char)~(index + byte);
    }
  }
  memset(found, 0, sizeof found);
  fault(inaccessible_page());
  for (int index = 0; index < REGISTERS; index++) {
    ok(memcmp(expected[index], found[index], width) == 0, "%s: register %d, all of %zu bytes", name, index, width);
  }
  same(elsewhere, 0, "%s: the thread had its alternate stack all the time", name);
}

static void run(void *flags) {
  width = register_width();
  must(signal(SIGUSR1, on_alternate_stack) != SIG_ERR);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alternate_stack;
  action.sa_flags = SA_ONSTACK;
  must(sigaction(SIGUSR1, &action, NULL) == 0);
  install_handler(SIGSEGV, handler, *(const int *)flags);
#if defined(__APPLE__)
  install_handler(SIGBUS, handler, *(const int *)flags);
#endif
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  check("as they were");
  changes_context = 1;
  check("as the handler wants them");
}

int main(void) {
  int flags = 0;
  child_passes(run, &flags, "on the interrupted stack");
  flags = SA_ONSTACK;
  child_passes(run, &flags, "on the alternate stack");
  return tap_done();
}
