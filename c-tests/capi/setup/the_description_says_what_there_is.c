/* wasmtrap_describe tells what a support ticket needs: version, backend and why, signals and whose handlers they have,
 * what is registered. It works before wasmtrap_init, into a buffer of any size. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static void cut(const char *text, size_t length) {
  char buffer[64];
  for (size_t capacity = 0; capacity <= sizeof buffer / 2; capacity++) {
    size_t needed = 0;
    memset(buffer, 0x5a, sizeof buffer);
    must(wasmtrap_describe(buffer, capacity, &needed) == WASMTRAP_OK);
    int good = needed == length;
    if (capacity != 0) good = good && strlen(buffer) == capacity - 1 && strncmp(buffer, text, capacity - 1) == 0;
    for (size_t i = capacity; i < sizeof buffer; i++) good = good && buffer[i] == 0x5a;
    ok(good, "into %zu bytes", capacity);
  }
  char *const exact = malloc(length + 2);
  must(exact != NULL);
  memset(exact, 0x5a, length + 2);
  same(wasmtrap_describe(exact, length + 1, NULL), WASMTRAP_OK, "into just as many bytes as it needs");
  same_text(exact, text, "it is whole");
  same(exact[length + 1], 0x5a, "and nothing behind it is touched");
  free(exact);
}

int main(void) {
  char *text = described();
  contains(text, wasmtrap_version(), "before wasmtrap_init: the version");
  contains(text, "wasmtrap_init", "and that it was not called");
  char *const before = text;

#if !defined(_WIN32)
  must(signal(SIGILL, SIG_IGN) != SIG_ERR);
#endif
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  text = described();
  ok(strcmp(text, before) != 0, "after it, another text");
  contains(text, wasmtrap_version(), "version");
#if defined(_WIN32)
  contains(text, "backend: vectored exception handler", "backend");
  contains(text, "faults taken: memory; illegal instruction; arithmetic;", "kinds of fault");
  contains(text, "vectored exception handler: ours, before all others", "whose handler is first");
  ok(strstr(text, "breakpoint") == NULL, "not one that is not taken");
#else
  contains(text, "ignals", "backend");
  contains(text, "SIGSEGV", "signal");
  contains(text, "SIGBUS", "signal");
  contains(text, "SIGILL: ours; what is not a trap goes to nobody (ignored)", "signal that the host ignores");
  contains(text, "SIGFPE", "signal");
  ok(strstr(text, "SIGTRAP") == NULL || strstr(text, "SIGTRAP not") != NULL, "not one that is not taken");
#endif
  ok(text[strlen(text) - 1] == '\n', "it ends with a line");
  int only_text = 1;
  for (const char *c = text; *c != 0; c++) only_text = only_text && (*c == '\n' || ((unsigned char)*c >= ' '));
  ok(only_text, "it is text");
  cut(text, strlen(text));

  const uint64_t first = host_register_code(&wasm_load);
  char *const one = described();
  host_register_code(&wasm_store);
  host_register_region(inaccessible_page(), page_size(), WASMTRAP_CODE_NONE);
  char *const two = described();
  ok(strcmp(text, one) != 0 && strcmp(one, two) != 0, "registrations show");
  must(wasmtrap_code_unregister(first) == WASMTRAP_OK);
  char *const less = described();
  ok(strcmp(two, less) != 0, "and unregistering does");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  char *const after = described();
  contains(after, "wasmtrap_init", "after shutdown: not called since");
  return tap_done();
}
