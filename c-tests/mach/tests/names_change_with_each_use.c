/* A name that has been given back comes again with another generation; rights to one port share a name; a name can be
 * chosen. */
#include "host_profile.h"

int main(void) {
  const mach_port_t first = new_port();
  free_port(first);
  const mach_port_t second = new_port();
  same(second >> 8, first >> 8, "the place that was freed last is used first");
  ok(second != first, "under another name");
  same(first & 3, 3, "whose two lowest bits are set");
  same(second & 3, 3, "always");
  same(type_of(first), 0, "the old name is nobody's");

  mach_port_t copy = MACH_PORT_NULL;
  mach_msg_type_name_t type = 0;
  same(mach_port_extract_right(mach_task_self(), second, MACH_MSG_TYPE_COPY_SEND, &copy, &type), KERN_SUCCESS,
       "another send right");
  same(copy, second, "has the same name");
  same(type, MACH_MSG_TYPE_PORT_SEND, "and type");
  mach_port_t once = MACH_PORT_NULL, once_more = MACH_PORT_NULL;
  must(mach_port_extract_right(mach_task_self(), second, MACH_MSG_TYPE_MAKE_SEND_ONCE, &once, &type) == KERN_SUCCESS);
  must(mach_port_extract_right(mach_task_self(), second, MACH_MSG_TYPE_MAKE_SEND_ONCE, &once_more, &type) ==
       KERN_SUCCESS);
  ok(once != second && once != once_more, "each send-once right has its own");
  same(type_of(once), MACH_PORT_TYPE_SEND_ONCE, "of that type");

  const mach_port_t chosen = 0x12343;
  must(mach_port_mod_refs(mach_task_self(), second, MACH_PORT_RIGHT_SEND, -2) == KERN_SUCCESS);
  same(mach_port_insert_right(mach_task_self(), chosen, second, MACH_MSG_TYPE_MAKE_SEND), KERN_RIGHT_EXISTS,
       "a port has one name only");
  same(mach_port_insert_right(mach_task_self(), chosen, once, MACH_MSG_TYPE_MOVE_SEND_ONCE), KERN_SUCCESS,
       "a send-once right can be given a chosen name");
  same(type_of(chosen), MACH_PORT_TYPE_SEND_ONCE, "and has it");
  same(mach_port_insert_right(mach_task_self(), chosen, once_more, MACH_MSG_TYPE_MOVE_SEND_ONCE), KERN_NAME_EXISTS,
       "which nobody else gets");

  mach_port_name_array_t names = NULL;
  mach_port_type_array_t types = NULL;
  mach_msg_type_number_t names_count = 0, types_count = 0;
  same(mach_port_names(mach_task_self(), &names, &names_count, &types, &types_count), KERN_SUCCESS, "all names");
  int found = 0;
  for (mach_msg_type_number_t i = 0; i < names_count; i++)
    found += names[i] == chosen && types[i] == MACH_PORT_TYPE_SEND_ONCE;
  same(found, 1, "that one among them");
  same(names_count, types_count, "each with its type");
  must(vm_deallocate(mach_task_self(), (vm_address_t)names, names_count * sizeof *names) == KERN_SUCCESS);
  return tap_done();
}
