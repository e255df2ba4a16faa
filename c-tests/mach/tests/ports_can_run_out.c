/* A task that has had its ports gets errors, one or the other, and can do with those that it has. */
#include "host_profile.h"

int main(void) {
  if (!host_is("ports-run-out")) return tap_skip_all("there are enough here");
  int made = 0, no_space = 0, shortage = 0;
  mach_port_t port = MACH_PORT_NULL;
  for (int i = 0; i < 100; i++) {
    mach_port_options_t options = {0, {0}, {0, 0}};
    const kern_return_t result = i % 2 == 0 ? mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port)
                                            : mach_port_construct(mach_task_self(), &options, 0, &port);
    made += result == KERN_SUCCESS;
    no_space += result == KERN_NO_SPACE;
    shortage += result == KERN_RESOURCE_SHORTAGE;
  }
  same(made, 64, "64 are made");
  same(made + no_space + shortage, 100, "the others are errors");
  ok(no_space > 0 && shortage > 0, "of both kinds");
  same(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND), KERN_SUCCESS,
       "the last one is a port as any other");
  return tap_done();
}
