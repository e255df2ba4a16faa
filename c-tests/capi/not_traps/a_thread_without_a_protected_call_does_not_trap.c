/* Protection belongs to a thread. While one thread is inside a protected call, a fault of another in the same code is a
 * crash, whether the library knows that thread or not. */
#include <pthread.h>
#include <signal.h>

#include "host.h"
#include "process.h"
#include "spinner.h"

static spinner_t other;

static void start_other_thread(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_spin);
  spinner_start(&other);
}

static void *fault(void *unused) {
  (void)unused;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  return NULL;
}

static void on_the_main_thread(void *unused) {
  (void)unused;
  start_other_thread();
  fault(NULL);
}

static void on_an_attached_thread(void *unused) {
  (void)unused;
  start_other_thread();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  fault(NULL);
}

static void on_a_foreign_thread(void *unused) {
  (void)unused;
  start_other_thread();
  pthread_t foreign;
  must(pthread_create(&foreign, NULL, fault, NULL) == 0);
  pthread_join(foreign, NULL);
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_load);
  child_dies_at(SIGSEGV, pc, on_the_main_thread, NULL, "a thread that was never attached");
  child_dies_at(SIGSEGV, pc, on_an_attached_thread, NULL, "an attached thread");
  /* A parent traces the thread that it started only. */
  child_dies_of(SIGSEGV, on_a_foreign_thread, NULL, "a thread that the library has never seen");
  return tap_done();
}
