/* Whatever arguments a call is made with, it is answered or kills the caller, and the kernel goes on: calls at random,
 * with names that are there or were, addresses that are good or bad, and numbers of every size. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../library/src/call.h"
#include "host_profile.h"
#include "process.h"

#if defined(__x86_64__)
enum { CHILDREN = 200, CALLS = 1000 };
#else
/* The machine is an emulated one. */
enum { CHILDREN = 12, CALLS = 500 };
#endif

static uint64_t random_state;

/* xorshift64* */
static uint64_t any(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * UINT64_C(2685821657736338717);
}

static uint64_t one_of(const uint64_t *values, size_t count) { return values[any() % count]; }

static uint64_t memory[512];

static uint64_t any_argument(void) {
  static const uint64_t numbers[] = {0, 1, 2, 3, 4, 5, 7, 16, 17, 18, 19, 20, 21, 24, 28, 42, 0x42, 0x46, 0x48,
                                     0x80000002, 0x80000001, 0xffffffff, 0x7fffffff, UINT64_MAX, 0x3ffe, 68, 1024};
  switch (any() % 8) {
  case 0:
    return one_of(numbers, sizeof numbers / sizeof numbers[0]);
  case 1:
    return POINTER(&memory[any() % 512]);
  case 2:
    return any();
  case 3:
    return any() % 4096;
  case 4:
    return mach_task_self();
  default:
    /* Names as they are given out: a small index, one of the first generations. */
    return (any() % 40 + 1) << 8 | (any() % 3) << 2 | 3;
  }
}

static void call_at_random(void *seed) {
  random_state = *(const uint64_t *)seed * 0x9e3779b97f4a7c15u + 1;
  for (int i = 0; i < CALLS; i++) {
    uint64_t arguments[ARGUMENTS_MAX];
    for (size_t j = 0; j < ARGUMENTS_MAX; j++) arguments[j] = any_argument();
    for (size_t j = 0; j < 40; j++) memory[any() % 512] = any_argument() | any_argument() << 32;
    const enum operation operation = (enum operation)(any() % (OPERATION_COUNT + 2));
    /* Those that end or stop the caller for good reason. */
    if (operation == OPERATION_thread_suspend || operation == OPERATION_thread_terminate) continue;
    if (operation == OPERATION_mach_msg_trap) continue;
    if (operation == OPERATION_mach_msg2_trap) {
      arguments[1] |= MACH_SEND_TIMEOUT | MACH_RCV_TIMEOUT;
      arguments[5] = 0;
      arguments[0] = POINTER(memory);
      arguments[2] = any() % 512 & ~(uint64_t)3;
      ((mach_msg_header_t *)memory)->msgh_bits = (mach_msg_bits_t)(any() & MACH_MSGH_BITS_USER);
    }
    (void)call_kernel(operation, arguments);
  }
}

int main(void) {
  int answered = 0, killed = 0, other = 0;
  for (uint64_t seed = 1; seed <= CHILDREN; seed++) {
    const int status = child_wait(child_start_to_die(call_at_random, &seed));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      answered++;
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      killed++;
    } else {
      other++;
      tap_note("seed %llu: %s", (unsigned long long)seed, child_end_in_words(status));
    }
  }
  same(answered + killed, CHILDREN, "every child came to its end, or was killed for a violation");
  same(other, 0, "none in another way");
  const mach_port_t port = new_port();
  same(references(port, MACH_PORT_RIGHT_SEND), 1, "and the kernel goes on");
  free_port(port);
  return tap_done();
}
