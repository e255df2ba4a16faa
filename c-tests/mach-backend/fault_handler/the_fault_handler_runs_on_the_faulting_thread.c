/* With Mach ports the embedder's fault handler runs on the thread that faulted, with no signal blocked, knows the fault
 * by its exception, is asked once about each, and what it says happens. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <mach/mach.h>

#include "backend.h"
#include "cases.h"
#include "faults.h"

/* The register in which wasm_load has the address, and the one that receives the value. */
#if defined(__x86_64__)
enum { LOAD_ADDRESS = 0 };
#else
enum { LOAD_ADDRESS = 1 };
#endif

static volatile int calls;
static wasmtrap_fault_t seen;
static wasmtrap_registers_t seen_registers;
static pthread_t seen_thread;
static sigset_t seen_mask;
static wasmtrap_verdict_t answer;
static uint64_t elsewhere = 4711;

static wasmtrap_verdict_t on_fault(wasmtrap_fault_t *fault, void *user) {
  ++*(volatile int *)user;
  seen = *fault;
  seen_registers = *fault->registers;
  seen_thread = pthread_self();
  pthread_sigmask(SIG_BLOCK, NULL, &seen_mask);
  if (fault->kind == WASMTRAP_FAULT_MEMORY) fault->registers->general[LOAD_ADDRESS] = address_of(&elsewhere);
  if (fault->kind == WASMTRAP_FAULT_ILLEGAL) fault->registers->pc += WASM_UNREACHABLE_SIZE;
  if (answer == WASMTRAP_VERDICT_TRAP) {
    fault->trap_code = WASMTRAP_CODE_USER + 9;
    fault->payload = UINT64_C(0x123456789abcdef0);
  }
  return answer;
}

static void init(wasmtrap_verdict_t verdict) {
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(on_fault, (void *)(uintptr_t)&calls) == WASMTRAP_OK);
  answer = verdict;
}

static int no_fault_signal_is_in(const sigset_t *mask) {
  return !sigismember(mask, SIGSEGV) && !sigismember(mask, SIGBUS) && !sigismember(mask, SIGUSR1) &&
         !sigismember(mask, SIGALRM);
}

static void *resume_elsewhere(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  calls = 0;
  void *const page = inaccessible_page();
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
  same(access.value, 4711, "the load goes to where the handler said");
  same(calls, 1, "asked once");
  ok(pthread_equal(seen_thread, pthread_self()), "on this thread");
  ok(no_fault_signal_is_in(&seen_mask), "with no signal blocked");
  same(seen.exception, EXC_BAD_ACCESS, "the exception");
  same(seen.signal, 0, "no signal");
  same(seen.kind, WASMTRAP_FAULT_MEMORY, "the kind");
  same(seen.fault_address, access.address, "the address");
  same(seen.pc, wasm_fault_pc(&wasm_load), "the instruction");
  same(seen_registers.general[LOAD_ADDRESS], access.address, "the register at the fault");
  ok(seen.sp < address_of(&access) && seen.sp > address_of(&access) - 65536, "the stack pointer is the code's own");
  sigset_t mask;
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  ok(no_fault_signal_is_in(&mask), "nothing is blocked afterwards");
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  ok((stack.ss_flags & SS_ONSTACK) == 0, "the thread is not on its alternate stack");
  return NULL;
}

static void resumes_on_the_main_thread(void) {
  init(WASMTRAP_VERDICT_RESUME);
  resume_elsewhere(NULL);
}

static void resumes_on_another_thread(void) {
  init(WASMTRAP_VERDICT_RESUME);
  on_a_thread(resume_elsewhere, NULL);
}

static void resumes_inside_a_call(void) {
  init(WASMTRAP_VERDICT_RESUME);
  host_register_code(&wasm_load);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_load, &access, &trap), WASMTRAP_OK, "a fault that the handler mends is no trap");
  same(access.value, 4711, "the load went elsewhere");
  same(seen.trap_code, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "the handler was told what the tables say");
}

static void resumes_behind_an_illegal_instruction(void) {
  init(WASMTRAP_VERDICT_RESUME);
  for (int i = 0; i < 100; i++) wasm_unreachable.function(NULL);
  same(calls, 100, "asked about each");
  same(seen.exception, EXC_BAD_INSTRUCTION, "the exception");
  same(seen.pc, wasm_fault_pc(&wasm_unreachable), "the instruction");
}

/* What the handler sees and leaves is the instruction; with RESUME and nothing changed the thread goes on where the
 * processor was: behind int3. */
static void resumes_a_breakpoint(void) {
#if WASM_BREAKPOINT_REPORTED_BEHIND
  init(WASMTRAP_VERDICT_RESUME);
  wasm_breakpoint.function(NULL);
  same(calls, 1, "asked once, and went on behind it");
  same(seen.pc, wasm_fault_pc(&wasm_breakpoint), "what it saw is the instruction");
  same(seen.exception, EXC_BREAKPOINT, "the exception");
#else
  skip_case("brk leaves the program counter on the instruction");
#endif
}

static void traps_by_word_of_the_handler(void) {
  init(WASMTRAP_VERDICT_TRAP);
  wasm_access_t access = {address_of(protected_page()), 0};
  wasmtrap_trap_t trap;
  for (int i = 0; i < 100; i++) {
    if (!trapped_with(host_call(&wasm_load, &access, &trap), &trap, WASMTRAP_CODE_USER + 9, "a trap of its own code")) {
      break;
    }
  }
  same(calls, 100, "asked about each");
  same(trap.source, WASMTRAP_SOURCE_HANDLER, "source");
  same(trap.payload, UINT64_C(0x123456789abcdef0), "payload");
  same(trap.exception, EXC_BAD_ACCESS, "the exception");
  same(trap.signal, 0, "no signal");
  same(trap.exception_code_count, 2, "its codes");
  same(trap.exception_codes[0], KERN_PROTECTION_FAILURE, "the first");
  same(trap.exception_codes[1], access.address, "the second");
  same(trap.pc, wasm_fault_pc(&wasm_load), "program counter");
  same(trap.registers.general[LOAD_ADDRESS], access.address, "the registers are those of the fault");
}

static void traps_by_the_tables(void) {
  init(WASMTRAP_VERDICT_FORWARD);
  traps_by_ports("what the handler leaves to the tables");
  same(calls, 1, "after having been asked once");
}

static void an_unknown_answer_is_forward(void) {
  init(77);
  traps_by_ports("an answer that is none leaves it to the tables");
  same(calls, 1, "after having been asked once");
}

static void a_handler_that_was_taken_away(void) {
  init(WASMTRAP_VERDICT_TRAP);
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  traps_by_ports("the tables decide");
  same(calls, 0, "nobody is asked");
}

/* A thread that the library has never seen has no exception port of its own: it is asked all the same. */
static void *fault_unattached(void *unused) {
  (void)unused;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(access.value, 4711, "the load goes to where the handler said");
  return NULL;
}

static void a_thread_that_is_not_attached(void) {
  init(WASMTRAP_VERDICT_RESUME);
  on_a_thread(fault_unattached, NULL);
  same(calls, 1, "asked once");
  same(seen.exception, 0, "by no exception");
  ok(seen.signal == SIGSEGV || seen.signal == SIGBUS, "but by a signal");
}

static void outside_of_a_call_a_trap_ends_the_process(void) {
  init(WASMTRAP_VERDICT_TRAP);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"RESUME on the main thread", resumes_on_the_main_thread, 0},
      {"RESUME on another thread", resumes_on_another_thread, 0},
      {"RESUME inside a protected call", resumes_inside_a_call, 0},
      {"RESUME behind an illegal instruction", resumes_behind_an_illegal_instruction, 0},
      {"RESUME after a breakpoint", resumes_a_breakpoint, 0},
      {"TRAP inside a protected call", traps_by_word_of_the_handler, 0},
      {"FORWARD leaves it to the tables", traps_by_the_tables, 0},
      {"any other answer is FORWARD", an_unknown_answer_is_forward, 0},
      {"a handler that was taken away is not asked", a_handler_that_was_taken_away, 0},
      {"a thread that is not attached asks by a signal", a_thread_that_is_not_attached, 0},
      {"TRAP outside of a protected call is FORWARD", outside_of_a_call_a_trap_ends_the_process, SIGSEGV},
  };
  return run_cases(argc, argv, CASES(cases));
}
