/* An exception whose message was sent when the waiting for its answer was interrupted has become a signal, and the
 * thread has gone on, or has ended, when the server reads the message. Nothing comes of it. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "server_thread.h"
#include "thread_ports.h"

enum { TIMES = 50, BLOCKS = 64 };

static void *trap_interrupted(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(simulated_inject(MACH_PORT_NULL, SIMULATED_INTERRUPT_EXCEPTION) == KERN_SUCCESS);
  traps_by_signals("the trap comes as a signal");
  return NULL;
}

/* What the library has given back by then belongs to somebody else: blocks with a pattern, of the sizes that it uses.
 * */
typedef struct blocks_t {
  unsigned char *memory[BLOCKS];
  size_t size[BLOCKS];
} blocks_t;

static void take_blocks(blocks_t *blocks) {
  for (size_t i = 0; i < BLOCKS; i++) {
    blocks->size[i] = 256 * (i + 1);
    blocks->memory[i] = malloc(blocks->size[i]);
    must(blocks->memory[i] != NULL);
    memset(blocks->memory[i], 0xa5, blocks->size[i]);
  }
}

static size_t changed_bytes(const blocks_t *blocks) {
  size_t changed = 0;
  for (size_t i = 0; i < BLOCKS; i++) {
    for (size_t k = 0; k < blocks->size[i]; k++) changed += blocks->memory[i][k] != 0xa5;
  }
  return changed;
}

static void free_blocks(blocks_t *blocks) {
  for (size_t i = 0; i < BLOCKS; i++) free(blocks->memory[i]);
}

static void of_a_thread_that_has_ended(void) {
  const mach_port_t server = init_and_find_server();
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < TIMES; i++) {
    must(thread_suspend(server) == KERN_SUCCESS);
    on_a_thread(trap_interrupted, NULL);
    must(thread_resume(server) == KERN_SUCCESS);
    traps_by_ports("a trap of another thread");
  }
  same_task_rights(&rights, "no right to answer is left");
}

static void of_a_thread_that_goes_on(void) {
  const mach_port_t server = init_and_find_server();
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < TIMES; i++) {
    must(thread_suspend(server) == KERN_SUCCESS);
    trap_interrupted(NULL);
    must(thread_resume(server) == KERN_SUCCESS);
    traps_by_ports("its next trap");
  }
  same_task_rights(&rights, "no right to answer is left");
}

static void of_a_thread_that_was_detached(void) {
  const mach_port_t server = init_and_find_server();
  traps_by_ports("a trap");
  const task_rights_t rights = task_rights_now();
  size_t changed = 0;
  for (int i = 0; i < TIMES; i++) {
    blocks_t blocks;
    must(thread_suspend(server) == KERN_SUCCESS);
    trap_interrupted(NULL);
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
    take_blocks(&blocks);
    must(thread_resume(server) == KERN_SUCCESS);
    traps_by_ports("its next trap, attached again");
    changed += changed_bytes(&blocks);
    free_blocks(&blocks);
  }
  same(changed, 0, "the server has written to nobody's memory");
  same_task_rights(&rights, "no right is left");
}

static mach_port_t held_server;

static void *trap_by_ports(void *unused) {
  (void)unused;
  traps_by_ports("a trap of another thread, which is behind the stale one");
  return NULL;
}

/* The host's own handler, which asks the library: the trap is made, and not handed out yet, when the server goes on. */
static void hands_out_late(int signal, siginfo_t *info, void *context) {
  must(wasmtrap_try_handle_signal(signal, info, context) == 1);
  must(thread_resume(held_server) == KERN_SUCCESS);
  on_a_thread(trap_by_ports, NULL);
}

static void of_a_thread_that_has_not_read_its_record(void) {
  held_server = init_and_find_server();
  struct sigaction action = {0};
  action.sa_sigaction = hands_out_late;
  action.sa_flags = SA_SIGINFO | SA_NODEFER; /* a blocked signal would be the other thread's, too, and be its end */
  must(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
  for (int i = 0; i < TIMES; i++) {
    must(thread_suspend(held_server) == KERN_SUCCESS);
    trap_interrupted(NULL);
    traps_by_ports("its next trap");
  }
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"of a thread that has ended", of_a_thread_that_has_ended, 0},
      {"of a thread that goes on", of_a_thread_that_goes_on, 0},
      {"of a thread that was detached", of_a_thread_that_was_detached, 0},
      {"of a thread that has not read its record yet", of_a_thread_that_has_not_read_its_record, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
