/* What the fault handler answers happens: FORWARD leaves it to the tables, RESUME goes on with the registers as they
 * are now, TRAP ends the call with its code and payload. Any other answer is FORWARD. */
#include <signal.h>

#include "host.h"
#include "process.h"

/* The register in which wasm_load has the address. */
#if defined(__x86_64__)
enum { LOAD_ADDRESS = 0 };
#else
enum { LOAD_ADDRESS = 1 };
#endif

static wasmtrap_verdict_t answer;
static uint64_t elsewhere = 4711;

static wasmtrap_verdict_t decide(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  fault->registers->general[LOAD_ADDRESS] = address_of(&elsewhere);
  if (answer == WASMTRAP_VERDICT_TRAP) {
    fault->trap_code = WASMTRAP_CODE_USER + 9;
    fault->payload = UINT64_C(0x123456789abcdef0);
  }
  return answer;
}

static void init(void) {
  host_init();
  must(wasmtrap_set_fault_handler(decide, NULL) == WASMTRAP_OK);
}

static void resume_elsewhere(void *unused) {
  (void)unused;
  init();
  answer = WASMTRAP_VERDICT_RESUME;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(access.value, 4711, "outside of a protected call, it loads from where the handler said");
  wasmtrap_trap_t trap;
  access.value = 0;
  same(host_call(&wasm_load, &access, &trap), WASMTRAP_OK, "inside of one");
  same(access.value, 4711, "as well");
}

static void trap_by_word_of_the_handler(void *unused) {
  (void)unused;
  init();
  answer = WASMTRAP_VERDICT_TRAP;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_load, &access, &trap), &trap, WASMTRAP_CODE_USER + 9, "code that is not registered");
  same(trap.source, WASMTRAP_SOURCE_HANDLER, "source");
  same(trap.payload, UINT64_C(0x123456789abcdef0), "payload");
  same(trap.flags, WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGISTERS, "flags");
  same(trap.pc, wasm_fault_pc(&wasm_load), "program counter");
  same(trap.fault_address, access.address, "fault address");
  same(trap.registers.general[LOAD_ADDRESS], access.address, "the registers are those of the fault");
}

static void trap_outside_of_a_call(void *unused) {
  (void)unused;
  init();
  answer = WASMTRAP_VERDICT_TRAP;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

static void forward_to_the_tables(void *verdict) {
  init();
  answer = *(const wasmtrap_verdict_t *)verdict;
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  void *const page = inaccessible_page();
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "the tables decide");
  same(trap.source, WASMTRAP_SOURCE_FAULT, "source");
  same(trap.payload, 0, "no payload");
  wasm_access_t access = {address_of(page), 0};
  wasm_store.function(&access);
}

static void removed(void *unused) {
  (void)unused;
  init();
  answer = WASMTRAP_VERDICT_RESUME;
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

static void forgotten_by_shutdown(void *unused) {
  (void)unused;
  init();
  answer = WASMTRAP_VERDICT_RESUME;
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  host_init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

int main(void) {
  child_passes(resume_elsewhere, NULL, "RESUME with changed registers");
  child_passes(trap_by_word_of_the_handler, NULL, "TRAP inside of a protected call");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), trap_outside_of_a_call, NULL, "TRAP outside of one");
  wasmtrap_verdict_t verdict = WASMTRAP_VERDICT_FORWARD;
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), forward_to_the_tables, &verdict, "FORWARD");
  verdict = 77;
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), forward_to_the_tables, &verdict, "an unknown verdict");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), removed, NULL, "a handler that was taken away");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), forgotten_by_shutdown, NULL, "a handler from before shutdown");
  return tap_done();
}
