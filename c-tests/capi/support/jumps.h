/*
 * A host whose errors are longjmps: protected calls that are left by one, and what becomes of the memory in which they
 * were.
 */
#ifndef JUMPS_H
#define JUMPS_H

#include <stddef.h>

/* Enters `calls` protected calls, each in the one before, and leaves all of them by one longjmp. The function that
 * entered the first one is left too: what lies where they were is nobody's. */
void leave_calls_by_a_jump(int calls);

/* What `use_stack` does to the memory. */
typedef enum stack_use_t {
  /* Writes nothing: it is as the jump has left it. */
  UNTOUCHED,
  ZEROED,
  /* Each word is the address of a function that says that it was called, and ends the process. */
  FILLED_WITH_AN_ADDRESS,
  /* The same only where a return address of those who entered the calls was. */
  RETURN_ADDRESSES_REPLACED
} stack_use_t;
extern const char *const stack_use_names[];
enum { STACK_USES = RETURN_ADDRESSES_REPLACED + 1 };

/* Calls function(argument) from a function whose array covers all that `leave_calls_by_a_jump`, called by the same
 * caller, has left. The return value is the number of bytes of that array that were changed during the call. */
size_t use_stack(stack_use_t use, void (*function)(void *argument), void *argument);
/* How many return addresses the last such call has replaced. */
extern volatile int return_addresses_replaced;

/* Whether a backtrace leads on past `use_stack`: for Windows gcc has the frame pointer point into the middle of a large
 * frame, where what is taken for a return address is a word of the array. */
#if defined(_WIN32)
enum { FRAMES_LEAD_PAST_USE_STACK = 0 };
#else
enum { FRAMES_LEAD_PAST_USE_STACK = 1 };
#endif

#endif
