/* A forked child has neither the ports nor the server. It goes on with signals, inside a protected call too; its parent
 * keeps its ports; a new program image has ports of its own. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "cases.h"
#include "thread_ports.h"

/* The exit status of a child that runs `function`, -1 if a signal ended it. */
static int status_of_child(void (*function)(void)) {
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    function();
    _exit(tap_child_status());
  }
  int status = 0;
  while (waitpid(child, &status, 0) != child) must(errno == EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void has_signals(void) {
  wasmtrap_backend_t backend = 0;
  same(wasmtrap_backend(&backend), WASMTRAP_OK, "the child is set up");
  same(backend, WASMTRAP_BACKEND_SIGNALS, "with signals");
  char *const text = described();
  contains(text, "the process was forked and has not called exec", "and says why");
  free(text);
  for (int i = 0; i < 10; i++) traps_by_signals("it traps");
}

static void detaches_and_shuts_down(void) {
  has_signals();
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "the child can detach");
  traps_by_signals("and attach");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "it can shut down");
  same(wasmtrap_init(NULL), WASMTRAP_OK, "and be set up again");
  traps_by_signals("with signals");
}

static void *trap_on_a_thread(void *unused) {
  (void)unused;
  traps_by_signals("on a thread of its own");
  return NULL;
}

static void has_threads(void) {
  for (int i = 0; i < 10; i++) on_a_thread(trap_on_a_thread, NULL);
  same(status_of_child(has_signals), 0, "and children of its own");
}

static void of_an_attached_thread(void) {
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < 10; i++) {
    same(status_of_child(has_signals), 0, "the child goes on with signals");
    same(status_of_child(detaches_and_shuts_down), 0, "detaches and shuts down");
    same(status_of_child(has_threads), 0, "has threads and children");
    traps_by_ports("its parent keeps its ports");
  }
  same_task_rights(&rights, "and its rights");
}

static void *fork_here(void *unused) {
  (void)unused;
  same(status_of_child(has_signals), 0, "the child of a thread that is not attached");
  return NULL;
}

static void of_a_thread_that_is_not_attached(void) {
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  on_a_thread(fork_here, NULL);
  traps_by_ports("its parent keeps its ports");
}

/* Inside a protected call: each of the two gets its own trap. */
static pid_t forked;
static void *page;

static void fork_and_load(void *unused) {
  (void)unused;
  forked = fork();
  must(forked >= 0);
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

static void inside_a_protected_call(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_load);
  page = inaccessible_page();
  for (int i = 0; i < 20; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_call(fork_and_load, NULL, &trap);
    trapped_with(status, &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "the call that forked traps");
    if (forked == 0) {
      ok(trap.signal != 0 && trap.exception == 0, "in the child by a signal");
      has_signals();
      _exit(tap_child_status());
    }
    ok(trap.exception == EXC_BAD_ACCESS && trap.signal == 0, "in the parent by the port");
    int child_status = 0;
    while (waitpid(forked, &child_status, 0) != forked) must(errno == EINTR);
    same(child_status, 0, "the child came to its end");
  }
}

static volatile int over;

static void *trap_without_end(void *unused) {
  (void)unused;
  int wrong = 0;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
    wasmtrap_trap_t trap;
    wrong += load_what_must_not_be_touched(&trap) != WASMTRAP_TRAPPED || trap.exception != EXC_BAD_ACCESS;
  }
  same(wrong, 0, "each trap of a thread beside it came by the port");
  return NULL;
}

static void while_other_threads_trap(void) {
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  enum { THREADS = 3, FORKS = 50 };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, trap_without_end, NULL) == 0);
  for (int i = 0; i < FORKS; i++) {
    if (!same(status_of_child(has_signals), 0, "a child of a busy process")) break;
    traps_by_ports("its parent");
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
}

/* A child of a process that has not been set up. */
static void automatic_in_a_child(void) {
  const task_rights_t rights = task_rights_now();
  same(wasmtrap_init(NULL), WASMTRAP_OK, "AUTO");
  has_signals();
  same_task_rights(&rights, "without ports");
}

static void required_in_a_child(void) {
  wasmtrap_options_t options = no_options();
  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  same(wasmtrap_init(&options), WASMTRAP_ERR_UNSUPPORTED, "MACH_PORTS is refused");
  contains(wasmtrap_last_error(), "the process was forked and has not called exec", "for the right reason");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  same(wasmtrap_init(&options), WASMTRAP_OK, "with fallback it succeeds");
  has_signals();
}

static void init_in_a_child(void) {
  same(status_of_child(automatic_in_a_child), 0, "AUTO in a child");
  same(status_of_child(required_in_a_child), 0, "MACH_PORTS in a child");
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("the parent can have ports afterwards");
}

/* exec in a child of a process that is set up: this program again. */
static const char *program;

static void become_a_new_image(void) {
  setenv("NEW_IMAGE", "yes", 1);
  execl(program, program, (char *)NULL);
  _exit(127);
}

static void a_new_image(void) {
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  same(status_of_child(become_a_new_image), 0, "the new image of a child has ports of its own");
  traps_by_ports("the parent keeps its own");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"of an attached thread", of_an_attached_thread, 0},
      {"of a thread that is not attached", of_a_thread_that_is_not_attached, 0},
      {"inside of a protected call", inside_a_protected_call, 0},
      {"while other threads trap", while_other_threads_trap, 0},
      {"wasmtrap_init in a child", init_in_a_child, 0},
      {"a new program image", a_new_image, 0},
  };
  program = argv[0];
  if (getenv("NEW_IMAGE") != NULL) {
    tap_become_child(NULL);
    init_mach_ports(HOST_ALL_KINDS);
    traps_by_ports("a trap in the new image");
    return tap_child_status();
  }
  return run_cases(argc, argv, CASES(cases));
}
