/* mach_port_*, and the task's and the threads' own names. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <mach/mach.h>

#include "call.h"

mach_port_t mach_task_self_;

/* libSystem's initializer. Every task calls itself by the same name, so that a forked child needs none. */
__attribute__((constructor(101))) static void mach_init(void) {
  const kern_return_t name = CALL(task_self, 0);
  mach_task_self_ = name == KERN_NOT_SUPPORTED ? MACH_PORT_NULL : (mach_port_t)name;
}

mach_port_t mach_thread_self(void) {
  return (mach_port_t)CALL(mach_thread_self, 0);
}

mach_port_t mach_reply_port(void) {
  return (mach_port_t)CALL(mach_reply_port, 0);
}

mach_port_t pthread_mach_thread_np(pthread_t thread) {
  return pthread_equal(thread, pthread_self()) ? (mach_port_t)CALL(thread_self, 0) : MACH_PORT_NULL;
}

kern_return_t mach_port_allocate(ipc_space_t task, mach_port_right_t right, mach_port_name_t *name) {
  return CALL(mach_port_allocate, task, right, POINTER(name));
}

kern_return_t mach_port_construct(ipc_space_t task, mach_port_options_t *options, mach_port_context_t context,
                                  mach_port_name_t *name) {
  return CALL(mach_port_construct, task, POINTER(options), context, POINTER(name));
}

kern_return_t mach_port_destruct(ipc_space_t task, mach_port_name_t name, mach_port_delta_t delta,
                                 mach_port_context_t guard) {
  return CALL(mach_port_destruct, task, name, (uint64_t)(int64_t)delta, guard);
}

kern_return_t mach_port_insert_right(ipc_space_t task, mach_port_name_t name, mach_port_t poly,
                                     mach_msg_type_name_t disposition) {
  return CALL(mach_port_insert_right, task, name, poly, disposition);
}

kern_return_t mach_port_extract_right(ipc_space_t task, mach_port_name_t name, mach_msg_type_name_t disposition,
                                      mach_port_t *poly, mach_msg_type_name_t *received) {
  return CALL(mach_port_extract_right, task, name, disposition, POINTER(poly), POINTER(received));
}

kern_return_t mach_port_insert_member(ipc_space_t task, mach_port_name_t member, mach_port_name_t set) {
  return CALL(mach_port_insert_member, task, member, set);
}

kern_return_t mach_port_extract_member(ipc_space_t task, mach_port_name_t member, mach_port_name_t set) {
  return CALL(mach_port_extract_member, task, member, set);
}

kern_return_t mach_port_move_member(ipc_space_t task, mach_port_name_t member, mach_port_name_t after) {
  return CALL(mach_port_move_member, task, member, after);
}

kern_return_t mach_port_mod_refs(ipc_space_t task, mach_port_name_t name, mach_port_right_t right,
                                 mach_port_delta_t delta) {
  return CALL(mach_port_mod_refs, task, name, right, (uint64_t)(int64_t)delta);
}

kern_return_t mach_port_get_refs(ipc_space_t task, mach_port_name_t name, mach_port_right_t right,
                                 mach_port_urefs_t *references) {
  return CALL(mach_port_get_refs, task, name, right, POINTER(references));
}

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name) {
  return CALL(mach_port_deallocate, task, name);
}

kern_return_t mach_port_destroy(ipc_space_t task, mach_port_name_t name) {
  return CALL(mach_port_destroy, task, name);
}

kern_return_t mach_port_type(ipc_space_t task, mach_port_name_t name, mach_port_type_t *type) {
  return CALL(mach_port_type, task, name, POINTER(type));
}

/* Memory as vm_allocate gives it: whole pages. */
static void *allocate_pages(size_t size) {
  void *const pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

kern_return_t vm_deallocate(vm_map_t task, vm_address_t address, vm_size_t size) {
  (void)task;
  return size == 0 || munmap((void *)address, size) == 0 ? KERN_SUCCESS : KERN_INVALID_ADDRESS;
}

kern_return_t mach_port_names(ipc_space_t task, mach_port_name_array_t *names, mach_msg_type_number_t *names_count,
                              mach_port_type_array_t *types, mach_msg_type_number_t *types_count) {
  mach_msg_type_number_t room = 0;
  for (;;) {
    mach_port_name_t *const some_names = room == 0 ? NULL : allocate_pages(room * sizeof *some_names);
    mach_port_type_t *const some_types = room == 0 ? NULL : allocate_pages(room * sizeof *some_types);
    mach_msg_type_number_t count = room;
    kern_return_t result = room != 0 && (some_names == NULL || some_types == NULL) ? KERN_RESOURCE_SHORTAGE
                                                                                   : KERN_SUCCESS;
    if (result == KERN_SUCCESS)
      result = CALL(mach_port_names, task, POINTER(some_names), POINTER(some_types), POINTER(&count));
    if (result == KERN_SUCCESS && count <= room) {
      *names = some_names;
      *types = some_types;
      *names_count = *types_count = count;
      return KERN_SUCCESS;
    }
    if (some_names != NULL)
      (void)vm_deallocate(task, (vm_address_t)some_names, room * sizeof *some_names);
    if (some_types != NULL)
      (void)vm_deallocate(task, (vm_address_t)some_types, room * sizeof *some_types);
    if (result != KERN_SUCCESS)
      return result;
    room = count;
  }
}

kern_return_t mach_port_get_context(ipc_space_t task, mach_port_name_t name, mach_port_context_t *context) {
  return CALL(mach_port_get_context, task, name, POINTER(context));
}

kern_return_t mach_port_set_context(ipc_space_t task, mach_port_name_t name, mach_port_context_t context) {
  return CALL(mach_port_set_context, task, name, context);
}

kern_return_t mach_port_get_attributes(ipc_space_t task, mach_port_name_t name, mach_port_flavor_t flavor,
                                       mach_port_info_t information, mach_msg_type_number_t *count) {
  return CALL(mach_port_get_attributes, task, name, (uint64_t)flavor, POINTER(information), POINTER(count));
}

kern_return_t mach_port_set_attributes(ipc_space_t task, mach_port_name_t name, mach_port_flavor_t flavor,
                                       mach_port_info_t information, mach_msg_type_number_t count) {
  return CALL(mach_port_set_attributes, task, name, (uint64_t)flavor, POINTER(information), count);
}

kern_return_t mach_port_guard(ipc_space_t task, mach_port_name_t name, mach_port_context_t guard, boolean_t strict) {
  return CALL(mach_port_guard, task, name, guard, (uint64_t)strict);
}

kern_return_t mach_port_unguard(ipc_space_t task, mach_port_name_t name, mach_port_context_t guard) {
  return CALL(mach_port_unguard, task, name, guard);
}

kern_return_t mach_port_request_notification(ipc_space_t task, mach_port_name_t name, mach_msg_id_t id,
                                             mach_port_mscount_t sync, mach_port_t notify,
                                             mach_msg_type_name_t disposition, mach_port_t *previous) {
  return CALL(mach_port_request_notification, task, name, (uint64_t)id, sync, notify, disposition,
              POINTER(previous));
}

kern_return_t task_threads(task_inspect_t task, thread_act_array_t *threads, mach_msg_type_number_t *thread_count) {
  mach_msg_type_number_t room = 16;
  for (;;) {
    thread_act_t *const some = allocate_pages(room * sizeof *some);
    mach_msg_type_number_t count = room;
    if (some == NULL)
      return KERN_RESOURCE_SHORTAGE;
    const kern_return_t result = CALL(task_threads, task, POINTER(some), POINTER(&count));
    if (result == KERN_SUCCESS && count <= room) {
      *threads = some;
      *thread_count = count;
      return KERN_SUCCESS;
    }
    (void)vm_deallocate(task, (vm_address_t)some, room * sizeof *some);
    if (result != KERN_SUCCESS)
      return result;
    room = count + 16;
  }
}
