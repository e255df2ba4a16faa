// A host in C++: threads load, instantiate, call, trap, and are called back through lambdas that trap again; a store in
// use on another thread says so; and what is given to the host is given back when nobody can call it any more.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hosting.h"

namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T *object) const {
    free(object);
  }
};
using Error = std::unique_ptr<wasmtime_host_error_t, Free<wasmtime_host_error_free>>;
using Engine = std::unique_ptr<wasmtime_host_engine_t, Free<wasmtime_host_engine_free>>;
using Module = std::unique_ptr<wasmtime_host_module_t, Free<wasmtime_host_module_free>>;
using Linker = std::unique_ptr<wasmtime_host_linker_t, Free<wasmtime_host_linker_free>>;
using Store = std::unique_ptr<wasmtime_host_store_t, Free<wasmtime_host_store_free>>;
using Instance = std::unique_ptr<wasmtime_host_instance_t, Free<wasmtime_host_instance_free>>;

// A host function's data: what it calls back into, and a count of those that are alive.
struct Callback {
  const wasmtime_host_instance_t *instance = nullptr;
  std::atomic<int> *alive = nullptr;
  std::atomic<int> *entered = nullptr, *leave = nullptr;
};

wasmtime_host_error_t *call_back(void *data, const wasmtime_host_value_t *arguments, size_t,
                                 wasmtime_host_value_t *results, size_t) {
  auto *callback = static_cast<Callback *>(data);
  if (callback->entered != nullptr) {
    ++*callback->entered;
    while (*callback->leave == 0) std::this_thread::yield();
  }
  results[0].of.i32 = arguments[0].of.i32 + 1;
  if (arguments[0].of.i32 == 0) return nullptr;
  // Traps one level further in, and lives.
  wasmtime_host_value_t less = arguments[0], result{};
  less.of.i32--;
  Error error(wasmtime_host_call(callback->instance, "call_then_trap", &less, 1, &result, 1));
  return wasmtime_host_error_trap_code(error.get()) == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS
             ? nullptr
             : wasmtime_host_error_new("no trap further in");
}

wasmtime_host_error_t *same_values(void *, const wasmtime_host_value_t *arguments, size_t count,
                                   wasmtime_host_value_t *results, size_t) {
  for (size_t i = 0; i < count; i++) results[i].of = arguments[count - 1 - i].of;
  return nullptr;
}

struct Host {
  Callback *callback;
  Store store;
  Instance instance;
};

Host new_host(wasmtime_host_engine_t *engine, const wasmtime_host_module_t *module, std::atomic<int> &alive) {
  const wasmtime_host_type_t i32 = WASMTIME_HOST_I32;
  const wasmtime_host_type_t four[] = {WASMTIME_HOST_I32, WASMTIME_HOST_I64, WASMTIME_HOST_F32, WASMTIME_HOST_F64};
  const wasmtime_host_type_t reversed[] = {four[3], four[2], four[1], four[0]};
  wasmtime_host_linker_t *new_linker = nullptr;
  must(wasmtime_host_linker_new(engine, &new_linker) == nullptr);
  Linker linker(new_linker);
  auto *callback = new Callback;
  callback->alive = &alive;
  ++alive;
  const auto release = [](void *data) {
    auto *gone = static_cast<Callback *>(data);
    --*gone->alive;
    delete gone;
  };
  must(wasmtime_host_linker_define_function(linker.get(), "host", "call", &i32, 1, &i32, 1, call_back, callback,
                                            release) == nullptr);
  must(wasmtime_host_linker_define_function(linker.get(), "host", "values", four, 4, reversed, 4, same_values, nullptr,
                                            nullptr) == nullptr);
  wasmtime_host_store_t *store = nullptr;
  must(wasmtime_host_store_new(engine, &store) == nullptr);
  Host host{callback, Store(store), Instance(instantiate_in(linker.get(), store, module))};
  callback->instance = host.instance.get();
  return host;
}

uint32_t trap_of(const Host &host, const char *name, std::vector<int32_t> numbers) {
  std::vector<wasmtime_host_value_t> arguments(numbers.size());
  for (size_t i = 0; i < numbers.size(); i++) arguments[i].type = WASMTIME_HOST_I32, arguments[i].of.i32 = numbers[i];
  wasmtime_host_value_t result{};
  Error error(wasmtime_host_call(host.instance.get(), name, arguments.data(), arguments.size(), &result, 1));
  return wasmtime_host_error_trap_code(error.get());
}

}  // namespace

int main() {
  Engine engine(new_engine());
  Module module(load(engine.get(), "calls.module"));
  std::atomic<int> alive{0}, wrong{0};
  {
    std::vector<std::thread> threads;
    for (int number = 0; number < 8; number++)
      threads.emplace_back([&] {
        for (int round = 0; round < 20; round++) {
          Host host = new_host(engine.get(), module.get(), alive);
          wrong += trap_of(host, "load", {-4}) != WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
          wrong += trap_of(host, "divide", {1, 0}) != WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO;
          wrong += trap_of(host, "recurse", {}) != WASMTRAP_CODE_STACK_OVERFLOW;
          wrong += trap_of(host, "call_then_trap", {10}) != WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
          wrong += trap_of(host, "add", {1, 2}) != 0;
        }
      });
    for (auto &thread : threads) thread.join();
  }
  same(wrong.load(), 0, "eight threads' traps are what they should be, ten levels of calls to and fro among them");
  same(alive.load(), 0, "every host function's data is given back");

  Host host = new_host(engine.get(), module.get(), alive);
  std::atomic<int> entered{0}, leave{0};
  host.callback->entered = &entered;
  host.callback->leave = &leave;
  std::thread inside([&] { trap_of(host, "call", {0}); });
  while (entered == 0) std::this_thread::yield();
  fails(wasmtime_host_call(host.instance.get(), "stop", nullptr, 0, nullptr, 0), WASMTIME_HOST_BUSY,
        "in use on another thread", "a store that another thread is in");
  leave = 1;
  inside.join();
  same(trap_of(host, "load", {-4}), WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "afterwards it is free, for any thread");

  // Freed in any order: the instance has what it needs.
  host.store.reset();
  module.reset();
  engine.reset();
  same(trap_of(host, "divide", {1, 0}), WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "an instance outlives its engine");
  host.instance.reset();
  same(alive.load(), 0, "and when it goes, so does the data");
  return tap_done();
}
