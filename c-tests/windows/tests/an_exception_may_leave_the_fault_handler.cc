/* A fault handler may leave by a C++ exception, which comes to who called the code that faulted; it is asked about the
 * next fault too, further in on the stack, in a function with an array that nobody writes to. */
#include "host.h"

namespace {

enum { TIMES = 1000 };
volatile int asked;
void *page;

wasmtrap_verdict_t throws(wasmtrap_fault_t *fault, void *) {
  asked = asked + 1;
  throw fault->fault_address;
}

__attribute__((noinline)) void fault_at_depth(int depth) {
  volatile char room[300];
  room[0] = 0;
  if (depth > 0) {
    fault_at_depth(depth - 1);
  } else {
    wasm_access_t access = {address_of(page), 0};
    wasm_load.function(&access);
  }
  if (room[0] != 0) asked = -1;
}

bool is_caught(int depth) {
  try {
    fault_at_depth(depth);
  } catch (size_t address) {
    return address == address_of(page);
  }
  return false;
}

}  // namespace

int main() {
  page = inaccessible_page();
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(throws, nullptr) == WASMTRAP_OK);
  static const int depths[] = {0, 20, 3, 0, 40, 1};
  for (int depth : depths) ok(is_caught(depth), "an exception, %d functions further in", depth);
  same(asked, 6, "each fault is asked about once");
  int caught = 0;
  for (int i = 0; i < TIMES; i++) caught += is_caught(i % 7);
  same(caught, TIMES, "again and again");
  must(wasmtrap_set_fault_handler(nullptr, nullptr) == WASMTRAP_OK);
  ok(library_traps() != 0, "without the handler, a trap is a trap");
  return tap_done();
}
