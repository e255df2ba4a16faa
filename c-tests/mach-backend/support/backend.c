#include "backend.h"

#include <pthread.h>
#include <sys/mman.h>

#include <mach/mach.h>

wasmtrap_options_t no_options(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  return options;
}

void init_mach_ports_with(const wasmtrap_options_t *options) {
  must(wasmtrap_init(options) == WASMTRAP_OK);
  wasmtrap_backend_t backend = 0;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  must(backend == WASMTRAP_BACKEND_MACH_PORTS);
}

void init_mach_ports(uint32_t kinds) {
  wasmtrap_options_t options = no_options();
  options.fault_kinds = kinds;
  init_mach_ports_with(&options);
}

static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;

static int load_is_registered(void) {
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  return wasmtrap_code_lookup(wasm_load.start, &info) == WASMTRAP_OK;
}

/* Registers wasm_load, unless it is: shutdown forgets it. The lock is not taken where it is: another thread may fork
 * meanwhile, and the child would wait for ever. */
static void register_load(void) {
  if (load_is_registered()) return;
  must(pthread_mutex_lock(&registering) == 0);
  if (!load_is_registered()) host_register_code(&wasm_load);
  must(pthread_mutex_unlock(&registering) == 0);
}

wasmtrap_status_t load_what_must_not_be_touched(wasmtrap_trap_t *trap) {
  register_load();
  unsigned char *const page = inaccessible_page();
  const wasmtrap_status_t status = host_load(&wasm_load, page, trap);
  munmap(page, page_size());
  return status;
}

static int traps(const char *name, int by_ports) {
  wasmtrap_trap_t trap = host_new_trap();
  const wasmtrap_status_t status = load_what_must_not_be_touched(&trap);
  const int exception = by_ports ? EXC_BAD_ACCESS : 0;
  const int good = status == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS &&
                   trap.exception == exception && (trap.signal != 0) == !by_ports;
  ok(good, "%s", name);
  if (!good) {
    tap_note("status %s, trap code %u, exception %d, signal %d", wasmtrap_status_name(status), trap.code,
             trap.exception, trap.signal);
    if (status < 0) tap_note("%s", wasmtrap_last_error());
  }
  return good;
}

int traps_by_ports(const char *name) { return traps(name, 1); }
int traps_by_signals(const char *name) { return traps(name, 0); }

void on_a_thread(void *(*function)(void *argument), void *argument) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, argument) == 0);
  must(pthread_join(thread, NULL) == 0);
}
