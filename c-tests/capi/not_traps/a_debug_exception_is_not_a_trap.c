/* A watchpoint of the host's, or a single step, in registered code is no breakpoint of that code, although the
 * processor's last exception, of which the context still speaks, was one. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

#if defined(__linux__) && defined(__x86_64__)
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int received, received_code;

static void receive(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  received++;
  received_code = info->si_code;
}

static void trap_at_a_breakpoint(void) {
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_breakpoint, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "a breakpoint");
}

static void step(void) {
  static uint64_t readable;
  wasm_access_t access = {address_of(&readable), 0};
  received = 0;
  trap_at_a_breakpoint();
  __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" : : : "cc", "memory");
  wasmtrap_trap_t trap;
  const wasmtrap_status_t status = host_load(&wasm_load, (void *)(uintptr_t)access.address, &trap);
  __asm__ volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" : : : "cc", "memory");
  same(status, WASMTRAP_OK, "stepping through registered code: no trap");
  ok(received > 0, "%d steps reached the host's handler", received);
}

static void watch(void) {
#if defined(PERF_ATTR_SIZE_VER7)
  static uint64_t watched;
  struct perf_event_attr event;
  memset(&event, 0, sizeof event);
  event.type = PERF_TYPE_BREAKPOINT;
  event.size = sizeof event;
  event.bp_type = HW_BREAKPOINT_W;
  event.bp_addr = address_of(&watched);
  event.bp_len = HW_BREAKPOINT_LEN_8;
  event.sample_period = 1;
  event.sigtrap = 1;
  event.remove_on_exec = 1;
  event.exclude_kernel = 1;
  event.exclude_hv = 1;
  event.disabled = 1;
  const int file = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, 0);
  if (file < 0) {
    tap_skip("no watchpoints for programs here", "a watchpoint");
    return;
  }
  trap_at_a_breakpoint();
  received = 0;
  wasm_access_t access = {address_of(&watched), 1};
  wasmtrap_trap_t trap;
  must(ioctl(file, PERF_EVENT_IOC_ENABLE, 0) == 0);
  const wasmtrap_status_t status = host_call(&wasm_store, &access, &trap);
  must(ioctl(file, PERF_EVENT_IOC_DISABLE, 0) == 0);
  close(file);
  same(status, WASMTRAP_OK, "a store to watched memory: no trap");
  same(received, 1, "the host's handler gets it");
  same(received_code, 6, "with its own code, TRAP_PERF");
#else
  tap_skip("the headers of this system know no such event", "a watchpoint");
#endif
}

int main(void) {
  install_handler(SIGTRAP, receive, SA_ONSTACK);
  host_init_with_kinds(HOST_ALL_KINDS);
  host_register_code(&wasm_breakpoint);
  host_register_code(&wasm_load);
  host_register_code(&wasm_store);
  step();
  watch();
  return tap_done();
}
#else
int main(void) { return tap_skip_all("the trap flag and such watchpoints are x86-64's"); }
#endif
