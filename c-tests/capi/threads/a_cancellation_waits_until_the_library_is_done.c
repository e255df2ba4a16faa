/* No call of the API is a cancellation point: a thread with a cancellation pending does the whole work of each, leaves
 * no descriptor, lock or record behind, and is cancelled at the next cancellation point of its own. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

enum { DESCRIPTORS = 256, STACK_SIZE = 512 * 1024, ROUNDS = 20 };

static void *page;
static const char *volatile reached;
static volatile int wrong;

static int open_descriptors(void) {
  int count = 0;
  for (int descriptor = 0; descriptor < DESCRIPTORS; descriptor++) count += fcntl(descriptor, F_GETFD) >= 0;
  return count;
}

/* After each call: it has done its work, and the thread can be cancelled as before. Nothing here is a cancellation
 * point, an output least of all. */
static void done(const char *call, int good) {
  int state = PTHREAD_CANCEL_DISABLE, unused;
  must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state) == 0);
  wrong += !good + (state != PTHREAD_CANCEL_ENABLE);
  reached = call;
  must(pthread_setcancelstate(state, &unused) == 0);
}

static void trap_once(void) {
  wasmtrap_trap_t trap;
  done("wasmtrap_call", host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED);
}

static void be_cancelled_here(void) {
  reached = "its own cancellation point";
  pthread_testcancel();
  reached = "beyond its own cancellation point";
}

static void attach_trap_detach(void) {
  done("wasmtrap_thread_attach", wasmtrap_thread_attach() == WASMTRAP_OK);
  done("wasmtrap_thread_attach again", wasmtrap_thread_attach() == WASMTRAP_OK);
  trap_once();
  done("wasmtrap_thread_detach", wasmtrap_thread_detach() == WASMTRAP_OK);
}

static void *attaches(void *unused) {
  (void)unused;
  must(pthread_cancel(pthread_self()) == 0);
  attach_trap_detach();
  be_cancelled_here();
  return NULL;
}

/* The end of the thread puts back what the library gave to it. */
static void *is_attached_by_a_call(void *unused) {
  (void)unused;
  must(pthread_cancel(pthread_self()) == 0);
  trap_once();
  be_cancelled_here();
  return NULL;
}

static void *is_attached_by_a_mark(void *unused) {
  (void)unused;
  must(pthread_cancel(pthread_self()) == 0);
  wasmtrap_mark_t mark;
  done("wasmtrap_mark", wasmtrap_mark(&mark) == WASMTRAP_OK);
  be_cancelled_here();
  return NULL;
}

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

/* On the main thread, whose stack the library asks the system about. */
static void whole_life(void) {
  char text[256];
  size_t length;
  uint32_t displaced;
  uintptr_t limit;

  done("wasmtrap_init", wasmtrap_init(NULL) == WASMTRAP_OK);
  const uint64_t code = host_register_code(&wasm_load);
  done("wasmtrap_code_register", code != 0);
  const uint64_t region = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
  done("wasmtrap_region_register", region != 0);
  done("wasmtrap_set_fault_handler", wasmtrap_set_fault_handler(forward, NULL) == WASMTRAP_OK);
  done("wasmtrap_set_fault_handler to NULL", wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  attach_trap_detach();
  done("wasmtrap_stack_limit", wasmtrap_stack_limit(0, &limit) == WASMTRAP_OK);
  done("wasmtrap_check", wasmtrap_check(&displaced) == WASMTRAP_OK);
  done("wasmtrap_rearm", wasmtrap_rearm() == WASMTRAP_OK);
  done("wasmtrap_describe", wasmtrap_describe(text, sizeof text, &length) == WASMTRAP_OK);
  done("wasmtrap_region_unregister", wasmtrap_region_unregister(region) == WASMTRAP_OK);
  done("wasmtrap_code_unregister", wasmtrap_code_unregister(code) == WASMTRAP_OK);
  done("wasmtrap_thread_detach", wasmtrap_thread_detach() == WASMTRAP_OK);
  done("wasmtrap_shutdown", wasmtrap_shutdown() == WASMTRAP_OK);
}

static void judge(pthread_t thread, int descriptors, const char *name) {
  void *result = NULL;
  must(pthread_join(thread, &result) == 0);
  ok(result == PTHREAD_CANCELED && strcmp(reached, "its own cancellation point") == 0, "%s: cancelled there", name);
  tap_note("reached: %s", reached);
  same(wrong, 0, "each call did its work, and the thread could be cancelled as before");
  same(open_descriptors(), descriptors, "no descriptor is left");
}

/* A stack of the host's has no guard that the thread library knows of: the library asks the system what lies below. */
static void run(void *(*function)(void *), const char *name) {
  unsigned char *const stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(stack != MAP_FAILED);
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK_SIZE) == 0);
  const int descriptors = open_descriptors();
  pthread_t thread;
  reached = "nothing";
  wrong = 0;
  must(pthread_create(&thread, &attributes, function, NULL) == 0);
  judge(thread, descriptors, name);
  must(munmap(stack, STACK_SIZE) == 0);
}

static void raise_outside_of_a_call(void *unused) {
  (void)unused;
  must(pthread_cancel(pthread_self()) == 0);
  wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static pthread_t main_thread;
static int descriptors_before;

static void *judge_of_main(void *unused) {
  (void)unused;
  judge(main_thread, descriptors_before, "the main thread");
  host_init();
  ok(library_traps(), "no lock is left: the library can be set up again, and used");
  exit(tap_done());
}

int main(void) {
  page = inaccessible_page();
  host_init();
  host_register_code(&wasm_load);
  run(attaches, "a thread that attaches itself");
  run(is_attached_by_a_call, "one that a protected call attaches");
  run(is_attached_by_a_mark, "one that a mark attaches");
  const size_t mappings = count_mappings(), allocated = count_allocated();
  for (int i = 0; i < ROUNDS; i++) run(attaches, "once more");
  ok(count_mappings() <= mappings + 2, "there are as many mappings as before");
  ok(count_allocated() <= allocated + 4096, "and as much memory from malloc");
  child_dies_of(SIGABRT, raise_outside_of_a_call, NULL, "a raise that has nowhere to go aborts all the same");
  must(wasmtrap_shutdown() == WASMTRAP_OK);

  main_thread = pthread_self();
  descriptors_before = open_descriptors();
  reached = "nothing";
  wrong = 0;
  pthread_t thread;
  must(pthread_create(&thread, NULL, judge_of_main, NULL) == 0);
  must(pthread_cancel(pthread_self()) == 0);
  whole_life();
  be_cancelled_here();
  return 1;
}
