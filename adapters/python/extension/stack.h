/*
 * The stack that WebAssembly leaves to Python.
 *
 * An import runs the interpreter on what is left of the stack, and the interpreter counts its recursion instead of
 * looking at it: it would go over the end of a stack that WebAssembly, which may be anybody's, has nearly used up. So
 * deep WebAssembly cannot call imports (it traps), and less deep WebAssembly leaves Python as many levels of recursion
 * as fit what is left (it raises RecursionError after them). Shallow WebAssembly changes nothing: what a recursion in
 * Python does to a small stack then is what it does anywhere.
 */
#ifndef STACK_H
#define STACK_H

#include <stddef.h>

/* What WebAssembly has of this stack, and what was taken from Python for it: lives in the frame of an import. */
typedef struct stack_share_t {
  size_t webassembly;
  size_t levels_taken;
} stack_share_t;

/* The stack that a call into WebAssembly runs on. */
typedef struct stack_of_call_t {
  /* The stack pointer where it begins. */
  size_t entry;
  /* How deep it may go (wasmtrap_stack_limit); 0 until somebody has asked, SIZE_MAX where nobody knows. */
  size_t limit;
} stack_of_call_t;

/* Finds out how deep this Python goes. Once, with the GIL. */
void stack_set_up(void);

/* An import is called by WebAssembly. 0 if there is too little stack to run Python. Else `outer` receives what
 * stack_leave_python is to put back. In the protected call; needs no GIL. */
int stack_enter_python(stack_of_call_t *stack, stack_share_t *outer);

/* Takes levels of recursion from Python where they would not fit; with the GIL, after stack_enter_python. 0, or -1 with
 * RecursionError set. */
int stack_take_levels(const stack_of_call_t *stack, const stack_share_t *outer);

/* The import is over. With the GIL. */
void stack_leave_python(const stack_share_t *outer);

#endif
