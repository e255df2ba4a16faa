/* A server with deadlines: requests run WebAssembly that may never end, and are stopped when their time is over.
 *
 *   cc server.c $(pkg-config --cflags --libs wasmtrap) -pthread && ./a.out
 *
 * What to take from it: compiled loops read a page of their instance now and then. A thread that watches the clock
 * takes the page away; the next read is a fault, the page's region says what it means, and the request ends with the
 * trap "interrupt", and nothing else does. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "check.h"

enum { PAGE = 64 << 10, DEADLINE_MILLISECONDS = 50, REQUESTS = 4 };

/* What stands in for compiled code. */
#define COMPILED __attribute__((section("wasm_code"), noinline))
extern const char __start_wasm_code[], __stop_wasm_code[];

typedef struct {
  volatile char *interrupt_page;
  volatile unsigned int rounds, wanted;
} instance_t;

COMPILED static void serve(void *argument) {
  instance_t *instance = argument;
  while (instance->wanted == 0 || instance->rounds != instance->wanted) {
    instance->rounds = instance->rounds + 1;
    (void)*instance->interrupt_page;
  }
}

static void *watch(void *argument) {
  instance_t *instance = argument;
  const struct timespec deadline = {0, DEADLINE_MILLISECONDS * 1000000L};
  nanosleep(&deadline, NULL);
  mprotect((void *)instance->interrupt_page, PAGE, PROT_NONE);
  return NULL;
}

static void answer(int request) {
  instance_t instance = {0};
  instance.interrupt_page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (instance.interrupt_page == MAP_FAILED) exit(2);
  /* Every other request never ends by itself. */
  instance.wanted = request % 2 == 0 ? 1000 : 0;
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = (const void *)instance.interrupt_page;
  region.length = PAGE;
  region.code = WASMTRAP_CODE_INTERRUPT;
  uint64_t region_id;
  CHECK(wasmtrap_region_register(&region, &region_id));

  pthread_t watcher;
  if (request % 2 != 0 && pthread_create(&watcher, NULL, watch, &instance) != 0) exit(2);
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  if (CHECK(wasmtrap_call(serve, &instance, &trap)) == WASMTRAP_OK) {
    printf("request %d: answered after %u rounds\n", request, instance.rounds);
  } else {
    printf("request %d: %s\n", request, wasmtrap_code_name(trap.code));
  }
  if (request % 2 != 0) pthread_join(watcher, NULL);
  CHECK(wasmtrap_region_unregister(region_id));
  munmap((void *)instance.interrupt_page, PAGE);
}

int main(void) {
  CHECK(wasmtrap_init(NULL));
  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = __start_wasm_code;
  code.length = (size_t)(__stop_wasm_code - __start_wasm_code);
  code.flags = WASMTRAP_CODE_STRICT;
  uint64_t code_id;
  CHECK(wasmtrap_code_register(&code, &code_id));
  for (int request = 0; request < REQUESTS; request++) answer(request);
  return 0;
}
