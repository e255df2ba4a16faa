#include "stack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>

#include "extension.h"

/* What recursion up to Python's own limits takes: 2.6 MB for sorted() with a key that sorts, in 3.12 and 3.13 and with
 * the limits as they come; 1.6 MB at most in 3.8 to 3.11; less for repr, json, pickle, re, operators (measured on x86-64
 * by painting a thread's stack before it). Where that much is left, nothing needs to be done. */
static const size_t WHOLE_RECURSION = 3 * 1024 * 1024;
/* And for one level of it. */
static const size_t ONE_LEVEL = 3 * 1024;
/* What Python and C functions want that do not recurse. Less is never enough. */
static const size_t LEAST = 64 * 1024;
/* WebAssembly is shallow up to this part of a stack, and up to this much. */
enum { SHALLOW_PART = 16, SHALLOW = 32 * 1024 };

/* Since 3.14 the interpreter looks at the stack itself. Before, it counts: calls of Python and of C in one up to 3.11,
 * those of C by themselves in 3.12 and 3.13. The functions are there since 3.9. */
enum { FIRST_WITH_FUNCTIONS = 9, FIRST_WITH_TWO_LIMITS = 12, FIRST_THAT_LOOKS = 14 };

static int (*enter_level)(const char *where);
static void (*leave_level)(void);
/* How many levels of C there are in versions that have no function that tells; 0 where there is one. */
static size_t levels_of_c;

static __thread struct {
  uintptr_t low;
  size_t size;
  stack_share_t share;
} this_thread;

static void *find(const char *name) { return dlsym(RTLD_DEFAULT, name); }

static void set_up(void) {
  if (python_minor() < FIRST_WITH_FUNCTIONS || python_minor() >= FIRST_THAT_LOOKS) return;
  void *enter = find("Py_EnterRecursiveCall"), *leave = find("Py_LeaveRecursiveCall");
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

/* The bounds of the stack that this thread was started on; size 0 if nobody tells. */
static void find_bounds(void) {
#if defined(__APPLE__)
  this_thread.size = pthread_get_stacksize_np(pthread_self());
  this_thread.low = (uintptr_t)pthread_get_stackaddr_np(pthread_self()) - this_thread.size;
#else
  pthread_attr_t attributes;
  void *low = NULL;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  if (pthread_attr_getstack(&attributes, &low, &this_thread.size) != 0) this_thread.size = 0;
  this_thread.low = (uintptr_t)low;
  pthread_attr_destroy(&attributes);
#endif
}

/* What is left of the stack; SIZE_MAX if this is not the stack that the thread was started on. */
static size_t bytes_left(void) {
  if (this_thread.size == 0) find_bounds();
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  return here - this_thread.low < this_thread.size ? here - this_thread.low : SIZE_MAX;
}

static int is_deep(void) {
  const size_t webassembly = this_thread.share.webassembly;
  return webassembly > SHALLOW && webassembly > this_thread.size / SHALLOW_PART;
}

/* How much has to be left for an import. */
static size_t least_bytes(void) {
  if (!is_deep()) return LEAST;
  /* 3.8 has nothing that takes levels. */
  if (python_minor() < FIRST_WITH_FUNCTIONS) return WHOLE_RECURSION;
  const size_t half = this_thread.size / 2;
  return half < LEAST ? LEAST : half < WHOLE_RECURSION ? half : WHOLE_RECURSION;
}

int stack_enter_python(const void *entry, stack_share_t *outer) {
  *outer = this_thread.share;
  const size_t left = bytes_left();
  if (left == SIZE_MAX) {
    /* A stack of the host's: its end is where its guard is. */
    wasm_rt_wasmtrap_reserve_stack(LEAST);
    return 1;
  }
  this_thread.share.webassembly += (uintptr_t)entry - (uintptr_t)__builtin_frame_address(0);
  if (left >= least_bytes()) return 1;
  this_thread.share = *outer;
  return 0;
}

int stack_take_levels(const stack_share_t *outer) {
  const size_t left = bytes_left();
  if (enter_level == NULL || !is_deep() || left >= WHOLE_RECURSION) return 0;
  const size_t all = levels_of_c != 0 ? levels_of_c : (size_t)Py_GetRecursionLimit();
  const size_t fit = left / ONE_LEVEL;
  const size_t taken = fit < all ? all - fit : 0;
  for (size_t *now = &this_thread.share.levels_taken; *now < taken; ++*now) {
    if (enter_level(" in what WebAssembly has left of the stack") == 0) continue;
    for (; *now > outer->levels_taken; --*now) leave_level();
    return -1;
  }
  return 0;
}

void stack_leave_python(const stack_share_t *outer) {
  for (; this_thread.share.levels_taken > outer->levels_taken; this_thread.share.levels_taken--) leave_level();
  this_thread.share = *outer;
}
