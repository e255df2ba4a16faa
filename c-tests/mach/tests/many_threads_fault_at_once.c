/* Many threads fault at the same time, each into a port of its own, all of them members of one set with one server:
 * each comes back with its own answer, and nothing is lost. */
#include <string.h>

#include "exception_server.h"
#include "host_profile.h"

#if defined(__x86_64__)
enum { THREADS = 48, FAULTS = 200 };
#else
/* The machine is an emulated one, in which a stop of a thread takes a hundred times as long. */
enum { THREADS = 12, FAULTS = 15 };
#endif

static mach_port_t set;
static fault_place_t places[THREADS];
static mach_port_t ports[THREADS];

/* The context of the member that it came to says whose it is. */
static kern_return_t answer(exception_server_t *server, exception_t *exception) {
  mach_port_context_t context = 0;
  (void)server;
  must(mach_port_get_context(mach_task_self(), exception->header.msgh_local_port, &context) == KERN_SUCCESS);
  fault_place_t *const place = (fault_place_t *)context;
  must(place - places < THREADS && state_pc(exception->state) == place->at);
  set_state_pc(exception->state, place->behind);
  return KERN_SUCCESS;
}

static void *fault_often(void *argument) {
  fault_place_t *const place = argument;
  must(take_exceptions(ports[place - places], WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  for (int i = 0; i < FAULTS; i++) fault_illegal(place);
  return argument;
}

int main(void) {
  host_must_have(NEEDS_DELIVERY);
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) == KERN_SUCCESS);
  const simulated_rights_t before = rights_now();
  for (int i = 0; i < THREADS; i++) {
    /* With the bit such a port will do for any thread, in every release. */
    mach_port_options_t options = {MPO_INSERT_SEND_RIGHT | MPO_EXCEPTION_PORT, {0}, {0, 0}};
    must(mach_port_construct(mach_task_self(), &options, (mach_port_context_t)&places[i], &ports[i]) == KERN_SUCCESS);
    must(mach_port_insert_member(mach_task_self(), ports[i], set) == KERN_SUCCESS);
  }
  exception_server_t server;
  server_start_on(&server, set, answer, NULL);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, fault_often, &places[i]) == 0);
  int back = 0;
  for (int i = 0; i < THREADS; i++) {
    void *result = NULL;
    must(pthread_join(threads[i], &result) == 0);
    back += result == &places[i];
  }
  same(back, THREADS, "all threads are back");
  same(server.count, THREADS * FAULTS, "from all of their faults");
  for (int i = 0; i < THREADS; i++) must(mach_port_destruct(mach_task_self(), ports[i], -1, 0) == KERN_SUCCESS);
  simulated_rights_t now = rights_now();
  /* The server's own thread has a name, if it has asked for it. */
  now.send_names = before.send_names;
  now.send_references = before.send_references;
  ok(memcmp(&before, &now, sizeof now) == 0, "and no right is left");
  return tap_done();
}
