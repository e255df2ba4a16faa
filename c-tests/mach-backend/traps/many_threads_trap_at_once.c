/* One server answers all threads: traps of many at once, of nested protected calls, and of threads that come and go
 * beside them, each with its own record. */
#include <pthread.h>

#include <mach/mach.h>

#include "backend.h"
#include "cases.h"

enum { THREADS = 16, TRAPS = 300 };

/* Each thread has code and a page of its own, so that a record that went astray would show. */
static void *trap_with_own_code(void *unused) {
  (void)unused;
  const wasm_code_t load = wasm_compile(&wasm_load), unreachable = wasm_compile(&wasm_unreachable);
  unsigned char *const page = inaccessible_page();
  const uint64_t load_id = host_register_code(&load), unreachable_id = host_register_code(&unreachable);
  int right = 0;
  for (int i = 0; i < TRAPS; i++) {
    wasmtrap_trap_t trap;
    if (i % 2 == 0) {
      const unsigned char *const address = page + i % 4096;
      right += host_load(&load, address, &trap) == WASMTRAP_TRAPPED && trap.code_id == load_id &&
               trap.exception == EXC_BAD_ACCESS && trap.fault_address == address_of(address) &&
               trap.pc == wasm_fault_pc(&load);
    } else {
      right += host_call(&unreachable, NULL, &trap) == WASMTRAP_TRAPPED && trap.code_id == unreachable_id &&
               trap.exception == EXC_BAD_INSTRUCTION && trap.pc == wasm_fault_pc(&unreachable);
    }
  }
  same(right, TRAPS, "each trap has its own record");
  must(wasmtrap_code_unregister(load_id) == WASMTRAP_OK && wasmtrap_code_unregister(unreachable_id) == WASMTRAP_OK);
  return NULL;
}

static void at_once(void) {
  init_mach_ports(0);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, trap_with_own_code, NULL) == 0);
  for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
}

static volatile int over;

static void *come_and_go(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
    must(wasmtrap_thread_attach() == WASMTRAP_OK);
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
  }
  return NULL;
}

static void beside_threads_that_come_and_go(void) {
  init_mach_ports(0);
  pthread_t restless[2], threads[4];
  for (int i = 0; i < 2; i++) must(pthread_create(&restless[i], NULL, come_and_go, NULL) == 0);
  for (int i = 0; i < 4; i++) must(pthread_create(&threads[i], NULL, trap_with_own_code, NULL) == 0);
  for (int i = 0; i < 4; i++) must(pthread_join(threads[i], NULL) == 0);
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++) must(pthread_join(restless[i], NULL) == 0);
}

/* Wasm, host, Wasm: the trap ends the innermost call. */
enum { DEPTH = 20 };
static int traps_inside;

static void nest(void *depth);

static void call_deeper(int depth) {
  wasmtrap_trap_t trap = host_new_trap();
  int next = depth + 1;
  wasm_import_t import = {nest, &next};
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "the call around it at depth %d goes on", depth);
}

static void nest(void *depth) {
  if (*(int *)depth < DEPTH) call_deeper(*(int *)depth);
  traps_by_ports("a trap ends the innermost call only");
  traps_inside++;
}

static void nested(void) {
  init_mach_ports(0);
  host_register_code(&wasm_call_import);
  for (int i = 0; i < 10; i++) call_deeper(0);
  same(traps_inside, 10 * DEPTH, "one at each depth");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"at once", at_once, 0},
      {"beside threads that come and go", beside_threads_that_come_and_go, 0},
      {"in nested calls", nested, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
