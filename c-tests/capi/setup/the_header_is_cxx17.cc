// wasmtrap.h compiles as C++17 on its own and first, with all warnings, and has C linkage by itself.
#include "wasmtrap.h"

#include <string>
#include <type_traits>

#include "tap.h"

static_assert(std::is_standard_layout_v<wasmtrap_trap_t> && std::is_trivial_v<wasmtrap_trap_t>);
static_assert(std::is_standard_layout_v<wasmtrap_fault_t> && std::is_standard_layout_v<wasmtrap_options_t>);
static_assert(std::is_same_v<decltype(wasmtrap_call(nullptr, nullptr, nullptr)), wasmtrap_status_t>);

int main() {
  wasmtrap_options_t options{};
  options.struct_size = sizeof options;
  same(wasmtrap_init(&options), WASMTRAP_OK, "a C++ program calls the library");
  int runs = 0;
  wasmtrap_trap_t trap{};
  trap.struct_size = sizeof trap;
  const auto status = wasmtrap_call([](void *count) { ++*static_cast<int *>(count); }, &runs, &trap);
  same(status, WASMTRAP_OK, "with a lambda");
  same(runs, 1, "which runs");
  same(wasmtrap_call([](void *) { wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 1); }, nullptr, &trap), WASMTRAP_TRAPPED,
       "or traps");
  same_text(std::string(wasmtrap_code_name(trap.code)).c_str(), "unreachable", "as it should");
  return tap_done();
}
