#include "ports.h"

mach_port_t new_port(void) {
  mach_port_t port = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
  must(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
  return port;
}

#if defined(__APPLE__)
mach_port_t new_exception_port(void) { return new_port(); }
#endif

void free_port(mach_port_t port) {
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
}

mach_port_t this_thread(void) { return pthread_mach_thread_np(pthread_self()); }

mach_port_urefs_t references(mach_port_t name, mach_port_right_t right) {
  mach_port_urefs_t count = 0;
  return mach_port_get_refs(mach_task_self(), name, right, &count) == KERN_SUCCESS ? count : 0;
}

mach_port_type_t type_of(mach_port_t name) {
  mach_port_type_t type = 0;
  return mach_port_type(mach_task_self(), name, &type) == KERN_SUCCESS ? type : 0;
}
