/* A call that is refused on one thread is invisible to the others: while one asks for the impossible all the time,
 * others register, trap and unregister without ever failing. */
#include <pthread.h>
#include <string.h>

#include "host.h"
#include "spinner.h"

enum { ROUNDS = 20000, WORKERS = 2 };

static volatile int done;
static volatile int not_refused;

static void *ask_for_the_impossible(void *page) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.fault_kinds = WASMTRAP_FAULT_MEMORY;
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = page;
  region.length = page_size();
  uint64_t id = 0;
  while (!done) {
    if (wasmtrap_shutdown() != WASMTRAP_ERR_BUSY) not_refused++;
    if (wasmtrap_init(&options) != WASMTRAP_ERR_CONFLICT) not_refused++;
    if (wasmtrap_region_register(&region, &id) != WASMTRAP_ERR_OVERLAP) not_refused++;
    if (wasmtrap_region_unregister(UINT64_MAX) != WASMTRAP_ERR_UNKNOWN_ID) not_refused++;
  }
  return NULL;
}

typedef struct worker_t {
  pthread_t thread;
  const char *failed;
} worker_t;

static const char *work_once(const wasm_code_t *load, unsigned char *page) {
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = load->start;
  desc.length = load->length;
  uint64_t id = 0;
  wasmtrap_trap_t trap;
  if (wasmtrap_code_register(&desc, &id) != WASMTRAP_OK) return "wasmtrap_code_register";
  if (host_load(load, page, &trap) != WASMTRAP_TRAPPED) return "wasmtrap_call";
  if (wasmtrap_code_unregister(id) != WASMTRAP_OK) return "wasmtrap_code_unregister";
  return NULL;
}

static void *work(void *argument) {
  worker_t *const worker = argument;
  const wasm_code_t load = wasm_compile(&wasm_load);
  unsigned char *const page = inaccessible_page();
  for (int i = 0; i < ROUNDS && worker->failed == NULL; i++) worker->failed = work_once(&load, page);
  return NULL;
}

int main(void) {
  host_init();
  host_register_code(&wasm_spin);
  unsigned char *const page = inaccessible_page();
  host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
  spinner_t inside;
  spinner_start(&inside);
  pthread_t asking;
  must(pthread_create(&asking, NULL, ask_for_the_impossible, page) == 0);
  worker_t workers[WORKERS];
  memset(workers, 0, sizeof workers);
  for (int i = 0; i < WORKERS; i++) must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  for (int i = 0; i < WORKERS; i++) {
    must(pthread_join(workers[i].thread, NULL) == 0);
    ok(workers[i].failed == NULL, "thread %d never failed", i);
    if (workers[i].failed != NULL) tap_note("%s failed", workers[i].failed);
  }
  done = 1;
  must(pthread_join(asking, NULL) == 0);
  same(not_refused, 0, "each refusal was the right one");
  spinner_stop(&inside);
  return tap_done();
}
