/* WAMR is one client among others: its end leaves the others' traps alone, theirs leaves its. With the last of them the
 * handlers that were there before are back. It can come again. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "tap.h"
#include "wamr_host.h"
#include "wasmtrap.h"

static int is_a_client(void) {
  static char text[8192];
  must(wasmtrap_describe(text, sizeof text, NULL) == WASMTRAP_OK);
  return strstr(text, "WAMR") != NULL;
}

/* The host's own guest: a function of C, a section of its own, and a page that nobody may touch. */
__attribute__((noinline, section("guest_text"))) static void load(void *address) { (void)*(volatile char *)address; }
extern const char __start_guest_text[], __stop_guest_text[];
static void *no_access;

static void begin_host(void) {
  wasmtrap_options_t options;
  wasmtrap_code_desc_t code;
  uint64_t id;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  memset(&code, 0, sizeof code);
  code.struct_size = sizeof code;
  code.start = __start_guest_text;
  code.length = (size_t)(__stop_guest_text - __start_guest_text);
  must(wasmtrap_code_register(&code, &id) == WASMTRAP_OK);
  no_access = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(no_access != MAP_FAILED);
}

static wasmtrap_status_t trap_of_the_host(void) { return wasmtrap_call(load, no_access, NULL); }

static wasmtrap_status_t trap_within;
static void enter(wasm_exec_env_t env, int32_t what) {
  (void)env;
  (void)what;
  trap_within = trap_of_the_host();
}

static void wamr_traps(const char *when) {
  guest_t guest = guest_new("memory");
  same_text(guest_call(&guest, "load", 65536), OUT_OF_BOUNDS, "WAMR traps %s", when);
  guest_delete(&guest);
}

int main(void) {
  struct sigaction before, after;
  must(sigaction(SIGSEGV, NULL, &before) == 0);

  runtime_begin(enter);
  wamr_traps("alone");
  begin_host();
  same(trap_of_the_host(), WASMTRAP_TRAPPED, "the host's own code traps beside it");
  wamr_traps("beside it");
  guest_t guest = guest_new("caller");
  ok(guest_call(&guest, "call_out", 0) == NULL, "WAMR calls the host");
  same(trap_within, WASMTRAP_TRAPPED, "whose code traps in the meantime");
  guest_delete(&guest);

  runtime_end();
  ok(!is_a_client(), "WAMR's client goes with its last thread");
  same(trap_of_the_host(), WASMTRAP_TRAPPED, "the host's code traps without it");
  runtime_begin(enter);
  ok(is_a_client(), "WAMR comes again");
  wamr_traps("again");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the host has done with the library");
  wamr_traps("after that");
  runtime_end();
  must(sigaction(SIGSEGV, NULL, &after) == 0);
  ok(before.sa_handler == after.sa_handler, "in the end the signal has the handler that it had before");
  return tap_done();
}
