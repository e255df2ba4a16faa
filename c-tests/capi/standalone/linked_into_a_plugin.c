/*
 * A plug-in that has the static library inside and is closed under its handlers: the library keeps the plug-in in
 * memory. Two such plug-ins, or one and the shared library, have a copy of the library each, and live side by side:
 * each catches its own traps, and passes on the other's.
 */
#include <pthread.h>
#include <signal.h>

#include "process.h"
#include "use.h"

static void crash(void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasm_store.function(&access);
}

static void *load(const char *path) {
  void *const object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) tap_note("%s", dlerror());
  must(object != NULL);
  return object;
}

static void closed_under_its_handlers(void *unused) {
  (void)unused;
  void *const object = load(PLUGIN);
  const api_t api = api_of(object);
  same(api.wasmtrap_init_(NULL), WASMTRAP_OK, "a library in a plug-in");
  const uint64_t id = use_register(&api, &wasm_load);
  ok(use_traps(&api, &wasm_load, id), "catches traps");
  same(dlclose(object), 0, "dlclose under its handlers");
  ok(use_traps(&api, &wasm_load, id), "catches traps still");
  crash(NULL);
}

static void side_by_side(void *unused) {
  (void)unused;
  const api_t plugin = api_of(load(PLUGIN));
  const api_t library = api_of(load(LIBRARY));
  must(plugin.wasmtrap_init_ != library.wasmtrap_init_);
  must(plugin.wasmtrap_init_(NULL) == WASMTRAP_OK && library.wasmtrap_init_(NULL) == WASMTRAP_OK);
  const wasm_code_t plugins_code = wasm_compile(&wasm_load), librarys_code = wasm_compile(&wasm_load);
  const uint64_t plugins_id = use_register(&plugin, &plugins_code);
  const uint64_t librarys_id = use_register(&library, &librarys_code);
  for (int i = 0; i < 10; i++) {
    ok(use_traps(&plugin, &plugins_code, plugins_id), "the plug-in's copy catches its traps");
    ok(use_traps(&library, &librarys_code, librarys_id), "the shared library catches its own");
  }
  uint32_t displaced = 0;
  ok(plugin.wasmtrap_check_(&displaced) == WASMTRAP_OK && displaced != 0, "one of them is on top");
  for (int i = 0; i < 20; i++) {
    /* As often as they like. */
    same(plugin.wasmtrap_rearm_(), WASMTRAP_OK, "the plug-in's copy goes on top of the other");
    same(library.wasmtrap_rearm_(), WASMTRAP_OK, "and the shared library on top of that");
    ok(use_traps(&plugin, &plugins_code, plugins_id), "the plug-in's copy catches its traps");
    ok(use_traps(&library, &librarys_code, librarys_id), "the shared library catches its own");
  }
  crash(NULL);
}

static void shut_down_in_any_order(void *first) {
  const api_t plugin = api_of(load(PLUGIN));
  const api_t library = api_of(load(LIBRARY));
  must(plugin.wasmtrap_init_(NULL) == WASMTRAP_OK && library.wasmtrap_init_(NULL) == WASMTRAP_OK);
  const api_t *const ends = first != NULL ? &plugin : &library;
  const api_t *const stays = first != NULL ? &library : &plugin;
  const uint64_t id = use_register(stays, &wasm_load);
  same(ends->wasmtrap_shutdown_(), WASMTRAP_OK, "one of them is shut down");
  ok(use_traps(stays, &wasm_load, id), "the other catches its traps");
  same(stays->wasmtrap_shutdown_(), WASMTRAP_OK, "then it is shut down, too");
  crash(NULL);
}

/* Both rely on one alternate signal stack, and on fault signals that one of them has unblocked: what the first of them
 * leaves, the other keeps until it leaves. */
static int overflows(const api_t *api) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  return api->wasmtrap_call_(wasm_recurse.function, &access, &trap) == WASMTRAP_TRAPPED &&
         trap.code == WASMTRAP_CODE_STACK_OVERFLOW;
}

static stack_t signal_stack(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return stack;
}

typedef struct order_t {
  const api_t *first_in, *second_in, *first_out, *second_out;
  /* Whether the host blocks the faults again in between, so that both copies lift the block. */
  int blocks_again;
} order_t;

static void *in_and_out(void *argument) {
  const order_t *const order = argument;
  sigset_t all, now;
  sigfillset(&all);
  must(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
  must(order->first_in->wasmtrap_thread_attach_() == WASMTRAP_OK);
  if (order->blocks_again) must(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
  must(order->second_in->wasmtrap_thread_attach_() == WASMTRAP_OK);
  const stack_t common = signal_stack();
  ok((common.ss_flags & SS_DISABLE) == 0, "both are attached");
  same(order->first_out->wasmtrap_thread_detach_(), WASMTRAP_OK, "one leaves");
  ok(signal_stack().ss_sp == common.ss_sp, "... and not with the other's alternate stack");
  ok(overflows(order->second_out), "... on which the other catches a stack overflow");
  same(order->second_out->wasmtrap_thread_detach_(), WASMTRAP_OK, "then it leaves, too");
  ok((signal_stack().ss_flags & SS_DISABLE) != 0, "... and there is no alternate stack, as before");
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  ok(sigismember(&now, SIGSEGV) == 1 && sigismember(&now, SIGILL) == 1, "... and the faults are blocked, as before");
  return NULL;
}

static void share_a_stack(void *unused) {
  (void)unused;
  const api_t plugin = api_of(load(PLUGIN));
  const api_t library = api_of(load(LIBRARY));
  must(plugin.wasmtrap_init_(NULL) == WASMTRAP_OK && library.wasmtrap_init_(NULL) == WASMTRAP_OK);
  use_register(&plugin, &wasm_recurse);
  use_register(&library, &wasm_recurse);
  order_t orders[] = {{&plugin, &library, &plugin, &library, 0},
                      {&plugin, &library, &library, &plugin, 0},
                      {&library, &plugin, &library, &plugin, 0},
                      {&library, &plugin, &plugin, &library, 0}};
  enum { ORDERS = sizeof orders / sizeof *orders };
  const size_t before = count_mappings();
  for (int i = 0; i < 10 * ORDERS; i++) {
    pthread_t thread;
    orders[i % ORDERS].blocks_again = i / ORDERS % 2;
    must(pthread_create(&thread, NULL, in_and_out, &orders[i % ORDERS]) == 0);
    must(pthread_join(thread, NULL) == 0);
  }
  ok(count_mappings() < before + 10, "nothing is left of them");
}

int main(void) {
  child_passes(share_a_stack, NULL, "two copies on one thread, in and out in any order");
  const size_t pc = wasm_fault_pc(&wasm_store);
  static int first;
  child_dies_at(SIGSEGV, pc, closed_under_its_handlers, NULL, "a plug-in that was closed, in the end a crash");
  child_dies_at(SIGSEGV, pc, side_by_side, NULL, "two copies, in the end a crash");
  child_dies_at(SIGSEGV, pc, shut_down_in_any_order, &first, "the lower copy is shut down first, in the end a crash");
  child_dies_at(SIGSEGV, pc, shut_down_in_any_order, NULL, "the upper copy is shut down first, in the end a crash");
  return tap_done();
}
