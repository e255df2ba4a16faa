/* The embedder's fault handler is asked about each fault of the kinds taken, on any thread and at any program counter,
 * with all that the tables know of it; not about signals that a process sent. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "context.h"
#include "handlers.h"
#include "host.h"

static wasmtrap_fault_t seen;
static wasmtrap_registers_t seen_registers;
static void *seen_user;
static int count;
/* What the handler's other two arguments say of the place, a signal's or on Windows those of an exception. */
static uint64_t address_in_information, pc_in_context;

static wasmtrap_verdict_t look(wasmtrap_fault_t *fault, void *user) {
  seen = *fault;
  seen_registers = *fault->registers;
  seen_user = user;
  count++;
  if (fault->siginfo && fault->ucontext) {
#if defined(_WIN32)
    address_in_information = ((EXCEPTION_RECORD *)fault->siginfo)->ExceptionInformation[1];
#else
    address_in_information = address_of(((siginfo_t *)fault->siginfo)->si_addr);
#endif
    pc_in_context = context_pc(fault->ucontext);
  }
  make_accessible((void *)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static volatile int forwarded;

static void earlier(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  forwarded++;
}

static void *fault_on_a_foreign_thread(void *access) {
  wasm_load_in_leaf.function(access);
  return NULL;
}

#if defined(__x86_64__)
/* Registers that no call keeps, and that the code goes on with all the same. */
static void registers_are_kept(void) {
  unsigned char *const page = inaccessible_page();
  uint64_t in_rcx = 1111, in_vector = 3333;
  register uint64_t in_r11 __asm__("r11") = 2222;
  __asm__ volatile(
      "movq %2, %%xmm9\n\t"
      "movb (%3), %%al\n\t"
      "movq %%xmm9, %2"
      : "+c"(in_rcx), "+r"(in_r11), "+r"(in_vector)
      : "r"(page)
      : "rax", "xmm9", "memory");
  const uint64_t after = in_r11;
  same(in_rcx, 1111, "rcx is what it was");
  same(after, 2222, "r11, too");
  same(in_vector, 3333, "and a vector register");
}
#endif

int main(void) {
  install_handler(SIGSEGV, earlier, 0);
  host_init();
  int instance;
  same(wasmtrap_set_fault_handler(look, &instance), WASMTRAP_OK, "wasmtrap_set_fault_handler");
  same(count, 0, "which does not call it");

  wasm_access_t access = {address_of(inaccessible_page()) + 8, 0};
  wasm_load.function(&access);
  same(count, 1, "a fault outside of all ranges and calls");
  ok(seen_user == &instance, "the user pointer is the one given");
  same(seen.struct_size, sizeof seen, "struct_size");
  same(seen.kind, WASMTRAP_FAULT_MEMORY, "kind");
  same(seen.flags, WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGISTERS, "no code, no region");
  same(seen.access, if_told(seen.exception, WASMTRAP_ACCESS_READ), "access");
  same(seen.trap_code, WASMTRAP_CODE_NONE, "the tables make no trap of it");
  same(seen.payload, 0, "no payload");
  same(seen.pc, wasm_fault_pc(&wasm_load), "program counter");
  same(seen.fault_address, access.address, "fault address");
  same(address_in_information, access.address, "the same in the information that the handler was given");
  same(pc_in_context, wasm_fault_pc(&wasm_load), "and the program counter in its context");
#if defined(_WIN32)
  handler_told_of(SIGSEGV, INACCESSIBLE_PAGE_CODE, seen);
#else
  same(seen.signal, SIGSEGV, "signal");
  same(seen.signal_code, INACCESSIBLE_PAGE_CODE, "signal code");
  same(seen.exception, 0, "no Mach exception: the thread has not been attached");
#endif
  same(seen_registers.pc, seen.pc, "program counter among the registers");
  ok(seen.sp <= seen.fp && seen.fp - seen.sp <= 16, "stack and frame pointer");

  access = (wasm_access_t){address_of(inaccessible_page()), 0};
  pthread_t thread;
  must(pthread_create(&thread, NULL, fault_on_a_foreign_thread, &access) == 0);
  must(pthread_join(thread, NULL) == 0);
  same(count, 2, "a fault on a thread that the library does not know");
  same(access.value, WASM_RED_ZONE_INTACT, "which goes on when it was mended");

  unsigned char *const page = inaccessible_page();
  const uint64_t code_id = host_register_code_with_site(&wasm_load, WASMTRAP_CODE_NULL_REFERENCE);
  const uint64_t region_id = host_register_region(page, page_size(), WASMTRAP_CODE_INTERRUPT);
  wasmtrap_trap_t trap;
  same(host_load(&wasm_load, page + 24, &trap), WASMTRAP_OK, "what would be a trap: the handler mends it");
  same(count, 3, "it was asked before the tables");
  handler_told_of(SIGSEGV, INACCESSIBLE_PAGE_CODE, seen);
  same(seen.trap_code, WASMTRAP_CODE_NULL_REFERENCE, "and told what they would say");
  same(seen.flags,
       WASMTRAP_HAS_CODE | WASMTRAP_HAS_SITE | WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGION |
           WASMTRAP_HAS_REGISTERS,
       "flags");
  same(seen.code_id, code_id, "code id");
  same(seen.code_offset, wasm_load.fault, "code offset");
  same(seen.region_id, region_id, "region id");
  same(seen.region_offset, 24, "region offset");

  raise(SIGSEGV);
  same(count, 3, "a signal that was sent is not its business");
  same(forwarded, 1, "but the earlier handler's");
#if defined(__x86_64__)
  registers_are_kept();
#endif
  return tap_done();
}
