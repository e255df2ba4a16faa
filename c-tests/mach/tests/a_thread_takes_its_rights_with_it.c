/* When a thread ends, its exception ports are released and its own port dies; a server that holds the reply right of
 * one that died meanwhile has a dead name. Ten thousand threads leave nothing (a thousand, in the profiles that make no
 * difference to that). */
#include <string.h>

#include "exception_server.h"
#include "host_profile.h"

static fault_place_t place;
static mach_port_t shared;

static void *live_shortly(void *unused) {
  (void)unused;
  const mach_port_t own = new_exception_port();
  const mach_port_t self = mach_thread_self();
  must(thread_set_exception_ports(self, TEST_MASK, own, WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR) == KERN_SUCCESS);
  must(thread_set_exception_ports(self, EXC_MASK_ARITHMETIC, shared, WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR) ==
       KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), self) == KERN_SUCCESS);
  free_port(own);
  return NULL;
}

static void *leave_a_reference(void *name) {
  *(mach_port_t *)name = mach_thread_self();
  return NULL;
}

static mach_port_t victim, reply_name;

static void *fault_for_ever(void *unused) {
  (void)unused;
  victim = this_thread();
  must(take_exceptions(shared, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  fault_illegal(&place);
  return NULL;
}

static kern_return_t answer_after_death(exception_server_t *server, exception_t *exception) {
  (void)server;
  reply_name = exception->header.msgh_remote_port;
  same(type_of(reply_name), MACH_PORT_TYPE_SEND_ONCE, "the reply right, while its thread lives");
  same(thread_terminate(victim), KERN_SUCCESS, "the thread is ended in the middle of its exception");
  while (type_of(victim) == MACH_PORT_TYPE_SEND) continue;
  same(type_of(reply_name), MACH_PORT_TYPE_DEAD_NAME, "the reply right is a dead name then");
  return MIG_NO_REPLY;
}

int main(void) {
  host_must_have(NEEDS_DELIVERY | NEEDS_MANY_PORTS);
  pthread_t thread;
  shared = new_exception_port();
  must(pthread_create(&thread, NULL, live_shortly, NULL) == 0 && pthread_join(thread, NULL) == 0);
  const simulated_rights_t before = rights_now();
#if defined(__x86_64__)
  const int lives = host_is("ordinary") || host_is("apple-python-15") ? 10000 : 1000;
#else
  const int lives = 500; /* in an emulated machine, where each takes long */
#endif
  for (int i = 0; i < lives; i++)
    must(pthread_create(&thread, NULL, live_shortly, NULL) == 0 && pthread_join(thread, NULL) == 0);
  same_rights(&before, "thousands of threads have come and gone");
  mach_port_status_t status;
  mach_msg_type_number_t count = MACH_PORT_RECEIVE_STATUS_COUNT;
  must(mach_port_get_attributes(mach_task_self(), shared, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status,
                                &count) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), shared) == KERN_SUCCESS);
  must(mach_port_get_attributes(mach_task_self(), shared, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status,
                                &count) == KERN_SUCCESS);
  same(status.mps_srights, 0, "none of them holds on to the port that they shared");
  must(mach_port_insert_right(mach_task_self(), shared, shared, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);

  mach_port_t left = MACH_PORT_NULL;
  must(pthread_create(&thread, NULL, leave_a_reference, &left) == 0 && pthread_join(thread, NULL) == 0);
  same(type_of(left), MACH_PORT_TYPE_DEAD_NAME, "a reference to a thread's port that is not given back is dead");
  same(references(left, MACH_PORT_RIGHT_DEAD_NAME), 1, "but there");
  must(mach_port_deallocate(mach_task_self(), left) == KERN_SUCCESS);

  exception_server_t server;
  server_start_on(&server, shared, answer_after_death, &place);
  must(pthread_create(&thread, NULL, fault_for_ever, NULL) == 0 && pthread_join(thread, NULL) == 0);
  while (server.count == 0) continue;
  same(type_of(victim), 0, "the thread's name is gone with it");
  server_stop(&server);
  return tap_done();
}
