/* A forked child has its task's exception ports and its own names, no receive rights, no thread's exception ports; a
 * vfork child that calls exec keeps the task's ports, and is told apart from one that does not. */
#include <libproc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exception_server.h"
#include "host_profile.h"
#include "process.h"

static fault_place_t place;
static mach_port_t mine;

/* The instruction may be in another process, at another place. */
static kern_return_t answer_step_over(exception_server_t *server, exception_t *exception) {
  (void)server;
#if defined(__aarch64__)
  set_state_pc(exception->state, state_pc(exception->state) + 4);
#endif
  return exception->exception == EXC_BREAKPOINT ? KERN_SUCCESS : KERN_FAILURE;
}

static int has_called_exec(void) {
  struct proc_bsdinfo information;
  must(proc_pidinfo(getpid(), PROC_PIDTBSDINFO, 0, &information, sizeof information) == sizeof information);
  return (information.pbi_flags & PROC_FLAG_EXEC) != 0;
}

static void in_child(void *unused) {
  (void)unused;
  const simulated_rights_t rights = rights_now();
  same(rights.receive, 0, "no receive right");
  same(rights.send_names, 2, "its own two send rights");
  same(rights.dead_names, 0, "nothing else");
  same(type_of(mine), 0, "the parent's names are nobody's");
  same(mach_task_self(), 0x203, "it calls itself as its parent does");
  same(type_of(mach_task_self()), MACH_PORT_TYPE_SEND, "and is right");
  ok(!has_called_exec(), "it has not called exec");
  /* The parent's server takes it, in another task. */
  fault_breakpoint(&place);
  fault_breakpoint(&place);
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "after-exec") == 0) {
    if (!has_called_exec() || rights_now().send_names != 2) return 1;
    fault_breakpoint(&place);
    return 0;
  }
  host_must_have(NEEDS_DELIVERY | NEEDS_FREE_TASK_LEVEL);
  ok(has_called_exec(), "a program has called exec");
  exception_server_t at_thread, at_task;
  server_start(&at_thread, answer_decline, &place);
  server_start_on(&at_task, new_port(), answer_step_over, &place);
  mine = at_thread.receive_from;
  must(take_exceptions(at_thread.receive_from, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  must(task_set_exception_ports(mach_task_self(), EXC_MASK_BREAKPOINT, at_task.receive_from,
                                WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR) == KERN_SUCCESS);
  fault_breakpoint(&place);
  same(at_thread.count, 1, "the parent's thread asks its own server first");
  same(at_task.count, 1, "and then the task's");
  child_passes(in_child, NULL, "a forked child");
  same(at_thread.count, 1, "does not ask the parent's thread's server");
  same(at_task.count, 3, "but the task's, which it has inherited");
  const simulated_rights_t before = rights_now();
  for (int i = 0; i < 20; i++) {
    const pid_t child = vfork();
    if (child == 0) {
      execl("/proc/self/exe", arguments[0], "after-exec", (char *)NULL);
      _exit(99);
    }
    const int status = child_wait(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      ok(0, "a program that a vfork child became: %s", child_end_in_words(status));
      break;
    }
  }
  same(at_task.count, 23, "twenty programs asked the server that they have inherited");
  same_rights(&before, "the parent has lost nothing by all this");
  return tap_done();
}
