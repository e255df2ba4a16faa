/* A host with a fault handler of its own, and Wasmtime, leave each other alone: each is asked about its own faults,
 * whoever came first, also where the host takes fewer kinds of fault; and the host's shutdown is not Wasmtime's end. */
#include "platform.h"
#include "tap.h"
#include "wasmtrap.h"

enum { ITS_OWN = WASMTRAP_CODE_USER + 1 };

static int asked;

static wasmtrap_verdict_t its_handler(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  asked++;
  fault->trap_code = ITS_OWN;
  return WASMTRAP_VERDICT_TRAP;
}

static void read_nowhere(void *unused) {
  (void)unused;
  const volatile int *volatile nowhere = (const volatile int *)8;
  (void)*nowhere;
}

static void the_hosts_fault_is_its_own(const char *what) {
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  same(wasmtrap_call(read_nowhere, NULL, &trap), WASMTRAP_TRAPPED, "%s", what);
  same(trap.code, ITS_OWN, "with the code that it has given");
}

static void wasmtime_takes_its_own(const engine_t *engine) {
  asked = 0;
  times_told = 0;
  same(run_wasm(engine->load, (const void *)8), 1, "Wasmtime takes a memory fault of its code");
  same(run_wasm(engine->stop, NULL), 1, "and an illegal instruction");
  same(times_told, 2, "by its handler");
  same(asked, 0, "and the host is not asked");
}

int main(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.fault_kinds = WASMTRAP_FAULT_MEMORY;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(its_handler, NULL) == WASMTRAP_OK);
  same(wasmtime_init_traps(jump_out), 0, "Wasmtime has its traps beside a host's fault handler");
  const engine_t engine = new_code();
  the_hosts_fault_is_its_own("a fault of the host's is the host's trap");
  wasmtime_takes_its_own(&engine);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the host shuts down");
  wasmtime_takes_its_own(&engine);

  same(wasmtrap_init(NULL), WASMTRAP_OK, "a host that comes later than Wasmtime");
  same(wasmtrap_set_fault_handler(its_handler, NULL), WASMTRAP_OK, "has a fault handler of its own, too");
  the_hosts_fault_is_its_own("which is asked about its faults");
  wasmtime_takes_its_own(&engine);
  return tap_done();
}
