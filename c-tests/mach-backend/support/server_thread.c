#include "server_thread.h"

#include "backend.h"

/* The threads of the task, with a right each. */
typedef struct threads_t {
  thread_act_array_t ports;
  mach_msg_type_number_t count;
} threads_t;

static threads_t threads_now(void) {
  threads_t threads;
  must(task_threads(mach_task_self(), &threads.ports, &threads.count) == KERN_SUCCESS);
  return threads;
}

static void free_threads(const threads_t *threads) {
  for (mach_msg_type_number_t i = 0; i < threads->count; i++) {
    must(mach_port_deallocate(mach_task_self(), threads->ports[i]) == KERN_SUCCESS);
  }
  vm_deallocate(mach_task_self(), (vm_address_t)threads->ports, threads->count * sizeof *threads->ports);
}

mach_port_t init_and_find_server(void) {
  const threads_t before = threads_now();
  init_mach_ports(0);
  traps_by_ports("a trap, after which the server has been seen");
  const threads_t after = threads_now();
  mach_port_t server = MACH_PORT_NULL;
  for (mach_msg_type_number_t i = 0; i < after.count; i++) {
    int known = 0;
    for (mach_msg_type_number_t k = 0; k < before.count; k++) known |= before.ports[k] == after.ports[i];
    if (!known) server = after.ports[i];
  }
  must(server != MACH_PORT_NULL);
  must(mach_port_mod_refs(mach_task_self(), server, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS);
  free_threads(&before);
  free_threads(&after);
  return server;
}
