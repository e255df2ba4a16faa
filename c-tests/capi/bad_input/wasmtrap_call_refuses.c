/* wasmtrap_call without a function, or with a trap record that was not set up: nothing runs, nothing is written. */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "refusal.h"

static int runs;

static void count_runs(void *unused) {
  (void)unused;
  runs++;
}

static void refuse(wasmtrap_function_t function, const wasmtrap_trap_t *given, wasmtrap_status_t expected,
                   const char *argument, const char *value, const char *name) {
  wasmtrap_trap_t trap = *given;
  refused(wasmtrap_call(function, NULL, &trap), expected, argument, value, name);
  ok(memcmp(&trap, given, sizeof trap) == 0, "... and the record is untouched");
  same(runs, 0, "... and nothing has run");
}

static wasmtrap_trap_t filled(void) {
  wasmtrap_trap_t trap;
  fill(&trap, sizeof trap);
  trap.struct_size = sizeof trap;
  trap.frames = NULL;
  trap.frames_capacity = 0;
  return trap;
}

static void try_all(void) {
  remember_state();
  wasmtrap_trap_t trap = filled();
  refused(wasmtrap_call(NULL, NULL, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "function", "NULL", "no function");
  refuse(NULL, &trap, WASMTRAP_ERR_INVALID_ARGUMENT, "function", "NULL", "no function, but a record");
  static const size_t sizes[] = {0, 1, sizeof trap - 1, sizeof trap + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char value[32];
    snprintf(value, sizeof value, "%zu", sizes[i]);
    trap.struct_size = sizes[i];
    refuse(count_runs, &trap, WASMTRAP_ERR_STRUCT_SIZE, "trap->struct_size", value, "a wrong struct_size");
  }
  trap = filled();
  trap.frames_capacity = 8;
  refuse(count_runs, &trap, WASMTRAP_ERR_INVALID_ARGUMENT, "trap->frames", "NULL", "room for frames, but none");
  refuse(count_runs, &trap, WASMTRAP_ERR_INVALID_ARGUMENT, "trap->frames_capacity", "8", "the sentence tells both");
}

static void try_all_inside(void *unused) {
  (void)unused;
  try_all();
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
}

int main(void) {
  host_init();
  tap_note("on a thread that is not attached");
  try_all();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  tap_note("on one that is");
  try_all();
  tap_note("inside of a protected call");
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(try_all_inside, NULL, &trap), &trap, WASMTRAP_CODE_USER, "which is still there");
  ok(library_traps(), "a trap is a trap");
  same(wasmtrap_call(count_runs, NULL, NULL), WASMTRAP_OK, "the function alone");
  same(runs, 1, "runs");
  return tap_done();
}
