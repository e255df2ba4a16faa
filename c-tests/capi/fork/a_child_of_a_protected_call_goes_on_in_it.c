/* A child that is forked inside of protected calls is inside of them, too: it traps, and lands where its parent
 * would. */
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static void *page;
static pid_t child;

static void fork_inside(void *unused) {
  (void)unused;
  child = fork();
  must(child >= 0);
  if (child == 0) tap_become_child(NULL);
  wasm_access_t access = {address_of(page) + (child == 0 ? 8 : 0), 0};
  wasm_load.function(&access);
}

static void overflow(void) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "a stack overflow");
}

/* The outer call goes on after the inner one has trapped in both processes. */
static void fork_in_an_inner_call(void *unused) {
  (void)unused;
  wasm_import_t import = {fork_inside, NULL};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_call_import, &import, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the fault lands in the inner call");
  same(trap.fault_address, address_of(page) + (child == 0 ? 8 : 0), "it is this process's own");
  wasmtrap_raise(WASMTRAP_CODE_USER, (uint64_t)child);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  const uint64_t recurse = host_register_code(&wasm_recurse);
  host_register_code(&wasm_call_import);
  page = inaccessible_page();
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(fork_in_an_inner_call, NULL, &trap), &trap, WASMTRAP_CODE_USER, "the outer call traps");
  same(trap.payload, child, "with this process's own payload");
  overflow();
  if (child == 0) {
    ok(library_traps(), "the child registers code, and traps in it");
    same(wasmtrap_code_unregister(recurse), WASMTRAP_OK, "ids of before the fork are known");
    same(wasmtrap_thread_detach(), WASMTRAP_OK, "it may detach");
    same(wasmtrap_shutdown(), WASMTRAP_OK, "and shut down");
    host_init();
    ok(library_traps(), "and begin again");
    _exit(tap_child_status());
  }
  int status = 0;
  must(waitpid(child, &status, 0) == child);
  ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "all went well in the child, too");
  if (status != 0) tap_note("the child was %s", child_end_in_words(status));
  ok(library_traps(), "the parent is unharmed");
  return tap_done();
}
