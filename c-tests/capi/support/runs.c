#include "runs.h"

#include <sched.h>
#include <string.h>

void runs_init(void) {
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.interrupt_signal = RUNS_SIGNAL;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

wasmtrap_run_t run_open(void) {
  wasmtrap_run_t run = 0;
  must(wasmtrap_run_open(&run) == WASMTRAP_OK && run != 0);
  return run;
}

static void *body(void *argument) {
  running_t *const running = argument;
  running->status = wasmtrap_run_call(running->run, running->function, running->argument, &running->trap);
  return NULL;
}

void running_start(running_t *running) {
  running->run = run_open();
  running->trap = host_new_trap();
  running->trap.frames = running->frames;
  running->trap.frames_capacity = sizeof running->frames / sizeof *running->frames;
  must(pthread_create(&running->thread, NULL, body, running) == 0);
}

void running_join(running_t *running) {
  must(pthread_join(running->thread, NULL) == 0);
  must(wasmtrap_run_close(running->run) == WASMTRAP_OK);
}

void wait_for(const uint64_t *word, uint64_t value) {
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) sched_yield();
}

void tell(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

int interrupted_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, uint64_t payload,
                     const char *name) {
  const int good = status == WASMTRAP_TRAPPED && trap->source == WASMTRAP_SOURCE_INTERRUPT && trap->code == code &&
                   trap->payload == payload;
  ok(good, "%s", name);
  if (!good) {
    tap_note("status %s, source %u, code %u, payload %llu", wasmtrap_status_name(status), trap->source, trap->code,
             (unsigned long long)trap->payload);
    if (status < 0) tap_note("%s", wasmtrap_last_error());
  }
  return good;
}
