/*
 * For the assembler: what is said differently for ELF, for Mach-O and for COFF.
 *
 * NEXT stands between statements of one line: for arm64, Apple's assembler begins a comment with a semicolon.
 */
#ifndef OBJECT_FORMAT_H
#define OBJECT_FORMAT_H

/* clang-format off */
#if defined(__APPLE__)
#if defined(__aarch64__)
#define NEXT %%
#else
#define NEXT ;
#endif
#define SYMBOL(name) _##name
#define IS_FUNCTION(name)
#define IS_OBJECT(name)
#define ENDS(name)
#define CONSTANTS_WITH_ADDRESSES .section __DATA, __const
#define NO_EXECUTABLE_STACK
#elif defined(_WIN32)
#define NEXT ;
#define SYMBOL(name) name
#define IS_FUNCTION(name)
#define IS_OBJECT(name)
#define ENDS(name)
#define CONSTANTS_WITH_ADDRESSES .section .rdata, "dr"
#define NO_EXECUTABLE_STACK
#else
#define NEXT ;
#define SYMBOL(name) name
#define IS_FUNCTION(name) .type name, %function
#define IS_OBJECT(name) .type name, %object
#define ENDS(name) .size name, . - name
#define CONSTANTS_WITH_ADDRESSES .section .data.rel.ro, "aw"
#define NO_EXECUTABLE_STACK .section .note.GNU-stack, "", %progbits
#endif
/* clang-format on */

/* What Windows' unwinder goes by, which takes code without it for a function that has not moved the stack pointer:
 * where a fault is nobody's trap, it goes on from there with what it takes for a return address. */
#if defined(_WIN32)
#define UNWIND_BEGINS(name) .seh_proc name
#define UNWIND_PUSHED(register) .seh_pushreg register
#define UNWIND_FRAME_IN(register) .seh_setframe register, 0
#define UNWIND_PROLOGUE_ENDS .seh_endprologue
#define UNWIND_ENDS .seh_endproc
#else
#define UNWIND_BEGINS(name)
#define UNWIND_PUSHED(register)
#define UNWIND_FRAME_IN(register)
#define UNWIND_PROLOGUE_ENDS
#define UNWIND_ENDS
#endif

#endif
