/*
 * The demonstration: one host that runs a module of our own which traps in every way that WebAssembly can, and a PNG
 * decoder of others, unmodified, which does its work and is then driven out of bounds. It prints what each trap record
 * says, and goes on after each. The exit status is 0 if everything was as expected_traps.txt has it.
 *
 *     run expected_traps.txt sample.png
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expectations.h"
#include "png_decoder.h"
#include "trap_table.h"
#include "traps.h"
#include "wasm_rt_wasmtrap.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_traps;

enum { REFUSED = WASMTRAP_CODE_USER + 1 };

/* The import of traps.wat. */
void w2c_host_refuse(struct w2c_host *host) {
  (void)host;
  wasmtrap_raise(REFUSED, 0);
}

static w2c_traps traps;

static void instantiate_traps(void *unused) {
  (void)unused;
  wasm2c_traps_instantiate(&traps, NULL);
}

static void go_on(void *result) { *(uint32_t *)result = w2c_traps_go_on(&traps); }

static void give_up(const char *what) {
  fprintf(stderr, "%s: %s\n", what, wasmtrap_last_error());
  exit(2);
}

static void set_up(void) {
  uint64_t id;
  if (wasmtrap_init(NULL) != WASMTRAP_OK) give_up("wasmtrap_init");
  wasm_rt_init();
  if (!wasm_rt_is_initialized()) give_up("wasm_rt_init");
  if (wasm_rt_wasmtrap_module_register(&wasm_module_traps, &id) != WASMTRAP_OK) give_up("traps");
  if (png_decoder_set_up() != WASMTRAP_OK) give_up("png");
  if (wasm_rt_wasmtrap_call(instantiate_traps, NULL, NULL) != WASMTRAP_OK) give_up("traps");
}

static wasmtrap_status_t run_trap(const char *name, wasmtrap_trap_t *trap) {
  const wasmtrap_function_t entry = wasm_rt_wasmtrap_module_entry(&wasm_module_traps, name);
  return entry == NULL ? WASMTRAP_ERR_NOT_FOUND : wasm_rt_wasmtrap_call(entry, &traps, trap);
}

static wasmtrap_status_t run_png(const char *name, wasmtrap_trap_t *trap) {
  if (strcmp(name, "read_past_the_end") == 0) return png_decoder_decode_wrongly(PNG_DECODER_INPUT_CUT_OFF, trap);
  if (strcmp(name, "write_past_the_end") == 0) return png_decoder_decode_wrongly(PNG_DECODER_OUTPUT_TOO_SMALL, trap);
  return WASMTRAP_ERR_NOT_FOUND;
}

/* Whether the modules still work. */
static int traps_goes_on(void) {
  static uint32_t calls;
  uint32_t result = 0;
  return wasm_rt_wasmtrap_call(go_on, &result, NULL) == WASMTRAP_OK && result == ++calls;
}

static int png_goes_on(void) {
  int right = 0;
  return png_decoder_decode(&right, NULL) == WASMTRAP_OK && right;
}

static const struct {
  const char *name;
  const char *about;
  wasmtrap_status_t (*run)(const char *name, wasmtrap_trap_t *trap);
  int (*goes_on)(void);
} modules[] = {
    {"traps", "a module of our own, which traps in every way that WebAssembly has", run_trap, traps_goes_on},
    {"png", "libspng, a PNG decoder, as others ship it; made to work past the end of its memory", run_png, png_goes_on},
};

static int all_traps(size_t module, const expectation_t *list, size_t count, int *failures) {
  int traps_seen = 0;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(list[i].module, modules[module].name) != 0) continue;
    size_t frames[16];
    wasmtrap_trap_t trap = {.struct_size = sizeof trap, .frames = frames, .frames_capacity = 16};
    const wasmtrap_status_t status = modules[module].run(list[i].called, &trap);
    if (status != WASMTRAP_TRAPPED) {
      printf("  %s: expected a trap, %s\n", list[i].called, status == 0 ? "returned" : wasmtrap_status_name(status));
      ++*failures;
      continue;
    }
    traps_seen++;
    if (!trap_table_row(&trap, &list[i])) ++*failures;
    if (!modules[module].goes_on()) {
      printf("  after %s the module no longer works\n", list[i].called);
      ++*failures;
    }
  }
  return traps_seen;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s expected_traps.txt sample.png\n", argv[0]);
    return 2;
  }
  static expectation_t list[MAX_EXPECTATIONS];
  const size_t count = expectations_read(argv[1], list);
  png_decoder_load_sample(argv[2]);
  set_up();

  int failures = 0, traps_seen = 0;
  for (size_t module = 0; module < sizeof modules / sizeof modules[0]; module++) {
    if (!modules[module].goes_on()) failures++;
    trap_table_heading(modules[module].name, modules[module].about);
    traps_seen += all_traps(module, list, count, &failures);
  }
  printf("\n%d traps, %d not as expected. The host went on after each of them; the decoder has got %s\n"
         "right before and after.\n", traps_seen, failures, png_decoder_about_sample());
  return failures == 0 && (size_t)traps_seen == count ? 0 : 1;
}
