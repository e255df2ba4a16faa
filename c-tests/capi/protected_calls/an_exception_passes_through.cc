// A C++ exception may leave a protected call, be caught and thrown again inside of one, and pass several at once. The
// chain of calls is right each time: the next trap lands where it should, and outside there is none.
#include <signal.h>

#include <stdexcept>
#include <string>

#include "host.h"
#include "process.h"

namespace {

struct counter {
  int &count;
  explicit counter(int &number) : count(number) {}
  ~counter() { count++; }
};

int destroyed;

void throw_it(void *) {
  counter guard(destroyed);
  throw std::runtime_error("from inside");
}

void catch_inside(void *) {
  try {
    throw_it(nullptr);
  } catch (const std::exception &) {
    throw;
  }
}

// Through two protected calls at once.
void call_and_let_pass(void *) {
  counter guard(destroyed);
  wasmtrap_call(throw_it, nullptr, nullptr);
}

// The inner call ends by an exception, then WebAssembly traps: the outer call's.
void catch_and_trap(void *page) {
  try {
    wasmtrap_call(throw_it, nullptr, nullptr);
  } catch (const std::exception &) {
    wasm_access_t access = {address_of(page), 0};
    wasm_load.function(&access);
  }
}

void catch_and_return(void *caught) {
  try {
    wasmtrap_call(throw_it, nullptr, nullptr);
  } catch (const std::exception &error) {
    *static_cast<std::string *>(caught) = error.what();
  }
}

bool passes(wasmtrap_function_t function) {
  try {
    wasmtrap_call(function, nullptr, nullptr);
  } catch (const std::runtime_error &error) {
    return std::string(error.what()) == "from inside";
  }
  return false;
}

void fault_after_an_exception(void *) {
  if (!passes(throw_it)) return;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

}  // namespace

int main() {
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();

  ok(passes(throw_it), "an exception passes through a protected call");
  same(destroyed, 1, "destructors have run");
  ok(library_traps(), "the next trap lands");
  ok(passes(catch_inside), "one that was caught and thrown again passes");
  ok(passes(call_and_let_pass), "one passes through two protected calls");
  same(destroyed, 4, "destructors have run");
  ok(library_traps(), "the next trap lands");

  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(catch_and_trap, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a trap after an exception from an inner call ends the outer call");
  std::string caught;
  same(wasmtrap_call(catch_and_return, &caught, nullptr), WASMTRAP_OK, "an exception that stays inside");
  same_text(caught.c_str(), "from inside", "is caught there");

  int passed = 0;
  for (int i = 0; i < 10000; i++) passed += passes(i % 2 ? throw_it : call_and_let_pass) ? 1 : 0;
  same(passed, 10000, "ten thousand exceptions");
  ok(library_traps(), "the next trap lands");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), fault_after_an_exception, nullptr,
                "after an exception the thread is outside: a fault");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
