#include "thread_ports.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "wasmtrap.h"

thread_ports_t thread_ports_of(mach_port_t thread) {
  thread_ports_t all;
  memset(&all, 0, sizeof all);
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
  mach_msg_type_number_t count = EXC_TYPES_COUNT;
  must(thread_get_exception_ports(thread, ALL_EXCEPTIONS, masks, &count, ports, behaviors, flavors) == KERN_SUCCESS);
  for (mach_msg_type_number_t i = 0; i < count; i++) {
    for (int exception = 0; exception < EXC_TYPES_COUNT; exception++) {
      if ((masks[i] & (1u << exception)) == 0) continue;
      all.ports[exception] = ports[i];
      /* They say nothing where there is no port. */
      if (ports[i] == MACH_PORT_NULL) continue;
      all.behaviors[exception] = behaviors[i];
      all.flavors[exception] = flavors[i];
    }
    if (MACH_PORT_VALID(ports[i])) must(mach_port_deallocate(mach_task_self(), ports[i]) == KERN_SUCCESS);
  }
  return all;
}

thread_ports_t thread_ports_now(void) { return thread_ports_of(pthread_mach_thread_np(pthread_self())); }

mach_port_t exception_port_now(int exception) { return thread_ports_now().ports[exception]; }

int same_thread_ports(const thread_ports_t *got, const thread_ports_t *expected, const char *name) {
  const int good = memcmp(got, expected, sizeof *got) == 0;
  ok(good, "%s", name);
  for (int i = 0; !good && i < EXC_TYPES_COUNT; i++) {
    if (got->ports[i] == expected->ports[i] && got->behaviors[i] == expected->behaviors[i] &&
        got->flavors[i] == expected->flavors[i]) {
      continue;
    }
    tap_note("exception %d: port %#x, behavior %#x, flavor %d; expected port %#x, behavior %#x, flavor %d", i,
             got->ports[i], (unsigned)got->behaviors[i], got->flavors[i], expected->ports[i],
             (unsigned)expected->behaviors[i], expected->flavors[i]);
  }
  return good;
}

/* All names of the task. Their memory is given back by free_names. */
typedef struct names_t {
  mach_port_name_t *names;
  mach_port_type_t *types;
  mach_msg_type_number_t count;
} names_t;

static names_t all_names(void) {
  names_t all;
  mach_msg_type_number_t types = 0;
  must(mach_port_names(mach_task_self(), &all.names, &all.count, &all.types, &types) == KERN_SUCCESS);
  must(types == all.count);
  return all;
}

static void free_names(const names_t *all) {
  vm_deallocate(mach_task_self(), (vm_address_t)all->names, all->count * sizeof *all->names);
  vm_deallocate(mach_task_self(), (vm_address_t)all->types, all->count * sizeof *all->types);
}

/* 0 for a name that has gone in the meantime. */
static mach_port_urefs_t references_of(mach_port_name_t name, mach_port_right_t right) {
  mach_port_urefs_t references = 0;
  mach_port_get_refs(mach_task_self(), name, right, &references);
  return references;
}

static task_rights_t count_rights(void) {
  task_rights_t rights;
  memset(&rights, 0, sizeof rights);
  const names_t all = all_names();
  for (mach_msg_type_number_t i = 0; i < all.count; i++) {
    const mach_port_type_t type = all.types[i];
    if ((type & MACH_PORT_TYPE_RECEIVE) != 0) rights.receive++;
    if ((type & MACH_PORT_TYPE_SEND_ONCE) != 0) rights.send_once++;
    if ((type & MACH_PORT_TYPE_PORT_SET) != 0) rights.port_sets++;
    if ((type & MACH_PORT_TYPE_SEND) != 0) {
      rights.send_names++;
      rights.send_references += references_of(all.names[i], MACH_PORT_RIGHT_SEND);
    }
    if ((type & MACH_PORT_TYPE_DEAD_NAME) != 0) {
      rights.dead_names++;
      rights.dead_references += references_of(all.names[i], MACH_PORT_RIGHT_DEAD_NAME);
    }
  }
  free_names(&all);
  return rights;
}

/* A thread that has been joined is not all gone: XNU wakes who waits for it first, and gives back the name of its port,
 * a dead one by then, afterwards (bsd/kern/kern_fork.c, uthread_joiner_wake). A dead name that stays is nobody's
 * end. */
task_rights_t task_rights_now(void) {
  enum { PATIENCE = 5000, BETWEEN = 1000 /* microseconds */ };
  task_rights_t rights = count_rights();
  for (int i = 0; i < PATIENCE && rights.dead_names != 0; i++) {
    usleep(BETWEEN);
    rights = count_rights();
  }
  return rights;
}

static void note_rights(const char *when, const task_rights_t *rights) {
  tap_note("%s: %u receive, %u send names (%u references), %u send-once, %u sets, %u dead names (%u references)", when,
           rights->receive, rights->send_names, rights->send_references, rights->send_once, rights->port_sets,
           rights->dead_names, rights->dead_references);
}

int same_task_rights(const task_rights_t *before, const char *name) {
  const task_rights_t now = task_rights_now();
  const int good = memcmp(before, &now, sizeof now) == 0;
  ok(good, "%s", name);
  if (!good) {
    note_rights("before", before);
    note_rights("now", &now);
  }
  return good;
}

static int is_among(const names_t *all, mach_port_name_t name) {
  for (mach_msg_type_number_t i = 0; i < all->count; i++) {
    if (all->names[i] == name) return 1;
  }
  return 0;
}

library_ports_t init_and_find_library_ports(void) {
  library_ports_t found = {MACH_PORT_NULL, MACH_PORT_NULL};
  const names_t before = all_names();
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  const names_t after = all_names();
  for (mach_msg_type_number_t i = 0; i < after.count; i++) {
    if (is_among(&before, after.names[i])) continue;
    if ((after.types[i] & MACH_PORT_TYPE_PORT_SET) != 0) {
      must(found.set == MACH_PORT_NULL);
      found.set = after.names[i];
    }
    if ((after.types[i] & MACH_PORT_TYPE_RECEIVE) != 0) {
      must(found.control == MACH_PORT_NULL);
      found.control = after.names[i];
    }
  }
  must(found.set != MACH_PORT_NULL && found.control != MACH_PORT_NULL);
  free_names(&before);
  free_names(&after);
  return found;
}
