/* Functions for the test of unwind_info.py, one kind of slip for each definition: WHOLE has none. */
#if defined(__x86_64__)
.macro enter
pushq %rbp
.cfi_def_cfa_offset 16
.cfi_offset %rbp, -16
movq %rsp, %rbp
.cfi_def_cfa_register %rbp
.endm
.macro call_second
callq _second
.endm
.macro leave_and_return
popq %rbp
retq
.endm
#else
.macro enter
stp x29, x30, [sp, #-16]!
mov x29, sp
.cfi_def_cfa x29, 16
.cfi_offset x30, -8
.cfi_offset x29, -16
.endm
.macro call_second
bl _second
.endm
.macro leave_and_return
ldp x29, x30, [sp], #16
ret
.endm
#endif

.text
.globl _first
.p2align 4
_first:
#if !defined(NO_INFORMATION)
.cfi_startproc
enter
call_second
#if defined(SYMBOL_IN_THE_MIDDLE)
.globl _middle
.private_extern _middle
.alt_entry _middle
_middle:
#endif
call_second
leave_and_return
.cfi_endproc
#else
call_second
leave_and_return
#endif

.globl _second
.p2align 4
_second:
.cfi_startproc
enter
leave_and_return
.cfi_endproc

.subsections_via_symbols
