#include "stack.h"

#include <pthread.h>
#include <stdint.h>

#include "extension.h"
#include "shared_object.h"

/* What recursion up to Python's own limits takes at most, with the limits as they come: 2.6 MB for sorted() with a key
 * that sorts, in 3.12 and 3.13; 1.6 MB in 3.8 to 3.11; less for repr, json, pickle, re and operators. (Measured on
 * x86-64, by painting a thread's stack before it.) Where that much is left, nothing needs to be done. */
static const size_t WHOLE_RECURSION = 3 * 1024 * 1024;
/* And for one level of it. */
static const size_t ONE_LEVEL = 3 * 1024;
/* What wasmtrap_stack_limit keeps free is always there. This is for a stack of which it does not know the end. */
static const size_t LEAST = 64 * 1024;
/* WebAssembly is shallow up to this part of what it and its imports have together, and up to this much. */
enum { SHALLOW_PART = 16, SHALLOW = 32 * 1024 };

/* Since 3.14 the interpreter looks at the stack itself. Before, it counts: calls of Python and of C in one up to 3.11,
 * those of C by themselves in 3.12 and 3.13. The functions are there since 3.9. */
enum { FIRST_WITH_FUNCTIONS = 9, FIRST_WITH_TWO_LIMITS = 12, FIRST_THAT_LOOKS = 14 };

static int (*enter_level)(const char *where);
static void (*leave_level)(void);
/* How many levels of C there are in versions that have no function that tells; 0 where there is one. */
static size_t levels_of_c;

static __thread stack_share_t this_thread;

static void set_up(void) {
  if (python_minor() < FIRST_WITH_FUNCTIONS || python_minor() >= FIRST_THAT_LOOKS) return;
  void *enter = shared_object_of_python("Py_EnterRecursiveCall");
  void *leave = shared_object_of_python("Py_LeaveRecursiveCall");
  if (enter == NULL || leave == NULL) return;
  memcpy(&leave_level, &leave, sizeof leave_level);
  memcpy(&enter_level, &enter, sizeof enter_level);
  if (python_minor() < FIRST_WITH_TWO_LIMITS) return;
  while (levels_of_c < 100000 && enter_level("") == 0) levels_of_c++;
  for (size_t i = 0; i < levels_of_c; i++) leave_level();
  PyErr_Clear();
}

void stack_set_up(void) {
  /* Interpreters have modules of their own, and may have GILs of their own. */
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, set_up);
}

static size_t here(void) { return (size_t)__builtin_frame_address(0); }

static int is_deep(size_t left) {
  return this_thread.webassembly > SHALLOW && this_thread.webassembly > (this_thread.webassembly + left) / SHALLOW_PART;
}

/* How much has to be left for an import. */
static size_t least_bytes(size_t left) {
  if (!is_deep(left)) return 0;
  /* 3.8 has nothing that takes levels. */
  if (python_minor() < FIRST_WITH_FUNCTIONS) return WHOLE_RECURSION;
  const size_t half = (this_thread.webassembly + left) / 2;
  return half < WHOLE_RECURSION ? half : WHOLE_RECURSION;
}

int stack_enter_python(stack_of_call_t *stack, stack_share_t *outer) {
  *outer = this_thread;
  if (stack->limit == 0 && wasmtrap_stack_limit(0, &stack->limit) != WASMTRAP_OK) stack->limit = SIZE_MAX;
  if (stack->limit == SIZE_MAX) {
    /* Its end is where its guard is. */
    wasm_rt_wasmtrap_reserve_stack(LEAST);
    return 1;
  }
  const size_t now = here();
  if (now < stack->limit) return 0;
  this_thread.webassembly += stack->entry - now;
  if (now - stack->limit >= least_bytes(now - stack->limit)) return 1;
  this_thread = *outer;
  return 0;
}

int stack_take_levels(const stack_of_call_t *stack, const stack_share_t *outer) {
  const size_t now = here();
  const size_t left = now > stack->limit ? now - stack->limit : 0;
  if (enter_level == NULL || stack->limit == SIZE_MAX || !is_deep(left) || left >= WHOLE_RECURSION) return 0;
  const size_t all = levels_of_c != 0 ? levels_of_c : (size_t)Py_GetRecursionLimit();
  const size_t fit = left / ONE_LEVEL;
  const size_t taken = fit < all ? all - fit : 0;
  for (size_t *levels = &this_thread.levels_taken; *levels < taken; ++*levels) {
    if (enter_level(" in what WebAssembly has left of the stack") == 0) continue;
    for (; *levels > outer->levels_taken; --*levels) leave_level();
    return -1;
  }
  return 0;
}

void stack_leave_python(const stack_share_t *outer) {
  for (; this_thread.levels_taken > outer->levels_taken; this_thread.levels_taken--) leave_level();
  this_thread = *outer;
}
