#include <simulated_mach.h>

#include "call.h"

int simulated_mach_is_here(void) {
  return mach_task_self() != MACH_PORT_NULL;
}

kern_return_t simulated_rights(simulated_rights_t *rights) {
  return CALL(simulated_rights, POINTER(rights));
}

kern_return_t simulated_thread_calls(mach_port_t thread, uint64_t *calls) {
  return CALL(simulated_thread_calls, thread, POINTER(calls));
}

kern_return_t simulated_thread_messages(mach_port_t thread, simulated_messages_t *messages) {
  return CALL(simulated_thread_messages, thread, POINTER(messages));
}

kern_return_t simulated_exceptions(simulated_exceptions_t *exceptions) {
  return CALL(simulated_exceptions, POINTER(exceptions));
}

kern_return_t simulated_inject(mach_port_t thread, simulated_injection_t injection) {
  return CALL(simulated_inject, thread, (uint64_t)injection);
}

kern_return_t simulated_set_exception_ports_from_outside(mach_port_t thread, exception_mask_t mask, mach_port_t port,
                                                         exception_behavior_t behavior,
                                                         thread_state_flavor_t flavor) {
  return CALL(simulated_set_exception_ports, thread, mask, port, (uint64_t)(uint32_t)behavior, (uint64_t)flavor);
}

kern_return_t simulated_profile(char *name, uint64_t size) {
  return CALL(simulated_profile, POINTER(name), size);
}
