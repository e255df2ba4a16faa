/* Exception messages have the numbers, sizes and contents that MIG gives them, for every behavior and both code sizes;
 * they come from the kernel, to the member of the set, and their reply right is a send-once right. */
#include <string.h>

#include "exception_server.h"
#include "host_profile.h"

typedef struct kind {
  const char *name;
  int behavior;
  int id;
  unsigned int size;
} kind_t;

/* 24 header, 4 count of descriptors, 12 a port, 8 NDR, 8 exception and count of codes, 8 flavor and count. */
#define STATE_SIZE (8 + 4 * STATE_WORDS)
static const kind_t kinds[] = {
    {"state, 64-bit codes", WITH_CODES(EXCEPTION_STATE), 2406, 24 + 8 + 8 + 16 + STATE_SIZE},
    {"state, 32-bit codes", EXCEPTION_STATE, 2402, 24 + 8 + 8 + 8 + STATE_SIZE},
    {"default, 64-bit codes", WITH_CODES(EXCEPTION_DEFAULT), 2405, 24 + 4 + 24 + 8 + 8 + 16},
    {"default, 32-bit codes", EXCEPTION_DEFAULT, 2401, 24 + 4 + 24 + 8 + 8 + 8},
    {"state and identity, 64-bit codes", WITH_CODES(EXCEPTION_STATE_IDENTITY), 2407,
     24 + 4 + 24 + 8 + 8 + 16 + STATE_SIZE},
    {"state and identity, 32-bit codes", EXCEPTION_STATE_IDENTITY, 2403, 24 + 4 + 24 + 8 + 8 + 8 + STATE_SIZE},
    {"identity protected", WITH_CODES(EXCEPTION_IDENTITY_PROTECTED), 2408, 24 + 4 + 12 + 8 + 8 + 8 + 16},
    {"state and identity protected", WITH_CODES(EXCEPTION_STATE_IDENTITY_PROTECTED), 2410,
     24 + 4 + 12 + 8 + 8 + 8 + 16 + STATE_SIZE},
};

static fault_place_t place;

/* Without a state in the message, the thread is moved by hand, or by a breakpoint that needs no moving. */
static kern_return_t answer(exception_server_t *server, exception_t *exception) {
  (void)server;
  if (exception->state_count != 0) set_state_pc(exception->state, place.behind);
#if !defined(__x86_64__)
  natural_t state[STATE_WORDS];
  mach_msg_type_number_t count = STATE_WORDS;
  if (exception->state_count == 0 && exception->thread != MACH_PORT_NULL) {
    must(thread_get_state(exception->thread, STATE_FLAVOR, state, &count) == KERN_SUCCESS);
    set_state_pc(state, place.behind);
    must(thread_set_state(exception->thread, STATE_FLAVOR, state, count) == KERN_SUCCESS);
  }
#endif
  return KERN_SUCCESS;
}

static void check(const kind_t *kind, exception_server_t *server, mach_port_t member) {
  const exception_t *const got = &server->last;
  same(got->header.msgh_id, kind->id, "%s: the number", kind->name);
  same(got->header.msgh_size, kind->size, "%s: the size", kind->name);
  same(got->header.msgh_local_port, member, "%s: it came to the member, not to the set", kind->name);
  same(MACH_MSGH_BITS_LOCAL(got->header.msgh_bits), MACH_MSG_TYPE_PORT_SEND, "%s: through a send right", kind->name);
  same(MACH_MSGH_BITS_REMOTE(got->header.msgh_bits), MACH_MSG_TYPE_PORT_SEND_ONCE, "%s: it wants one answer",
       kind->name);
  same(got->exception, EXC_BREAKPOINT, "%s: the exception", kind->name);
#if defined(__x86_64__)
  same(got->codes[0], EXC_I386_BPT, "%s: the code", kind->name);
#else
  same(got->codes[0], EXC_ARM_BREAKPOINT, "%s: the code", kind->name);
#endif
  same(got->trailer.msgh_sender.val[0], 0, "%s: the kernel's user", kind->name);
  same(got->trailer.msgh_sender.val[1], 1, "%s: the kernel's group", kind->name);
  same(got->trailer.msgh_audit.val[5], 0, "%s: no process has sent it", kind->name);
  const int names_thread = kind->id == 2401 || kind->id == 2403 || kind->id == 2405 || kind->id == 2407;
  if (names_thread) {
    same(got->thread, this_thread(), "%s: it names the thread", kind->name);
    same(got->task, mach_task_self(), "%s: and the task", kind->name);
  }
  if (got->state_count != 0) {
    same(got->state_count, STATE_WORDS, "%s: all of the state", kind->name);
    same(got->flavor, STATE_FLAVOR, "%s: of the flavor that was asked for", kind->name);
  }
}

int main(void) {
  host_must_have(NEEDS_DELIVERY | NEEDS_CONTROL_PORTS);
  mach_port_t set = MACH_PORT_NULL;
  const mach_port_t member = new_exception_port();
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) == KERN_SUCCESS);
  must(mach_port_insert_member(mach_task_self(), member, set) == KERN_SUCCESS);
  const mach_port_t self = this_thread();
  exception_server_t server;
  server_start_on(&server, set, answer, &place);
  const simulated_rights_t before = rights_now();
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
#if !defined(__x86_64__)
    /* Nobody could move the thread on. */
    if (kinds[i].id == 2408) continue;
#endif
    const kern_return_t taken = take_exceptions(member, kinds[i].behavior);
    const int since = kinds[i].id == 2410 ? MACOS_15 : kinds[i].id == 2408 ? MACOS_13 : MACOS_11;
    if (host_release() < since) {
      same(taken, KERN_INVALID_ARGUMENT, "%s: this kernel does not know it", kinds[i].name);
      continue;
    }
    same(taken, KERN_SUCCESS, "%s: it may be asked for", kinds[i].name);
    fault_breakpoint(&place);
    same(server.count, 1, "%s: one message", kinds[i].name);
    server.count = 0;
    check(&kinds[i], &server, member);
  }
  same(self, this_thread(), "the thread is still called the same");
  take_no_exceptions();
  same_rights(&before, "every right that came was given back");
  return tap_done();
}
