#include "jumps.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "wasmtrap.h"

const char *const stack_use_names[] = {"untouched", "zeroed", "filled with an address", "with other return addresses"};
volatile int return_addresses_replaced;

static __thread jmp_buf landing;

static void jump(void *unused) {
  (void)unused;
  longjmp(landing, 1);
}

/* Larger than any of the functions that enter calls. */
enum { CODE_SIZE = 512 };

/* Not static: its address range is looked for in memory. */
void enter_calls(void *remaining);
__attribute__((noinline)) void enter_calls(void *remaining) {
  int next = *(const int *)remaining - 1;
  if (next <= 0) {
    (void)wasmtrap_call(jump, NULL, NULL);
  } else {
    (void)wasmtrap_call(enter_calls, &next, NULL);
  }
  /* Not reached; and no tail call. */
  ok(0, "a call returned that was left");
}

__attribute__((noinline)) static void enter_further_in(int calls) {
  /* Room, so that what is called from where the jump arrives does not reach the frames of the calls. */
  volatile unsigned char distance[512];
  for (size_t i = 0; i < sizeof distance; i++) distance[i] = 0;
  enter_calls(&calls);
  if (distance[0] != 0) tap_note("somebody has written to a live array");
}

__attribute__((noinline)) void leave_calls_by_a_jump(int calls) {
  if (setjmp(landing) == 0) enter_further_in(calls);
}

static void hijacked(void) {
  static const char text[] = "not ok - control went where somebody has written to dead stack memory\n";
  if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(98);
  _exit(97);
}

static void fill(stack_use_t use, uintptr_t *words, size_t count) {
  const uintptr_t code = (uintptr_t)enter_calls;
  return_addresses_replaced = 0;
  for (size_t i = 0; i < count; i++) {
    switch (use) {
      case UNTOUCHED:
        break;
      case ZEROED:
        words[i] = 0;
        break;
      case FILLED_WITH_AN_ADDRESS:
        words[i] = (uintptr_t)hijacked;
        break;
      case RETURN_ADDRESSES_REPLACED:
        if (words[i] != (uintptr_t)hijacked && words[i] > code && words[i] - code < CODE_SIZE) {
          words[i] = (uintptr_t)hijacked;
          return_addresses_replaced++;
        }
    }
  }
}

/* The array is larger than what was left, and begins above it. */
enum { WORDS = 1024 };

__attribute__((noinline)) size_t use_stack(stack_use_t use, void (*function)(void *argument), void *argument) {
  uintptr_t words[WORDS];
  static __thread uintptr_t before[WORDS];
  /* The compiler knows nothing of what is in there. */
  uintptr_t *volatile place = words;
  uintptr_t *const array = place;
  fill(use, array, WORDS);
  memcpy(before, array, sizeof before);
  function(argument);
  size_t changed = 0;
  for (size_t i = 0; i < WORDS; i++) {
    if (before[i] != array[i]) changed += sizeof *array;
  }
  return changed;
}
