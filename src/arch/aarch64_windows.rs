//! arm64, Windows' ABI.
//!
//! It is AAPCS64, but that x18 has the thread's block and is nobody's to change, that a thread's block has the bounds
//! of its stack, and that the unwinder reads unwind codes (`.seh_*`, .pdata and .xdata), not DWARF. The codes of a
//! prologue stand for one instruction each, in its order, so that nothing else may be among them.
//!
//! There is no streaming mode (SME): Windows' CONTEXT has no place for its state.

use super::thread_block::{DEALLOCATION_STACK, STACK_BASE, STACK_LIMIT};
use crate::shared::activation::Activation;

/// The activation, padded so that the registers above it and sp stay aligned to 16 bytes.
const ACTIVATION_SPACE: usize = size_of::<Activation>().next_multiple_of(16);

/// The frame pointer of the `wasmtrap_call` that the activation belongs to.
pub(crate) fn call_frame(activation: *const Activation) -> usize {
    activation.addr() + ACTIVATION_SPACE
}

/// Size of the registers that `wasmtrap_call` saves.
const SAVED: usize = 160;

/// From the activation to the end of the frame: the registers, and the stack's bounds in the thread's block.
pub(crate) const FRAME_SIZE: usize = ACTIVATION_SPACE + SAVED + 2 * 8;

/// The activation of the `wasmtrap_call` whose frame the unwinder calls this. On arm64 that is where the stack pointer
/// was before the call ("*frame_ret = context->Sp" at the end of RtlVirtualUnwind, Wine's dlls/ntdll/unwind.c; LLVM's
/// code for C++ counts from there as well: getSEHFrameIndexOffset, lib/Target/AArch64/AArch64FrameLowering.cpp).
pub(crate) fn activation_in(frame: *mut core::ffi::c_void) -> *mut Activation {
    frame.wrapping_byte_sub(FRAME_SIZE).cast()
}

/// The body of `wasmtrap_call(function: x0, argument: x1, trap: x2) -> w0`.
///
/// The frame, from the bottom: the activation, at which sp points during the call, then x29 and x30, x19 to x28, d8 to
/// d15, the stack's bounds. A trap comes to `wasmtrap_landing` with sp there again and everything else lost but x18.
///
/// The unwinder goes by sp alone, which stays where it is between prologue and epilogue; x29 is for those who walk
/// frame pointers. An exception that passes through, and a longjmp by RtlUnwindEx, has the unwinder call `passed`.
/// Unlike x86-64's, the unwind information does not tell a handler for unwinding from one for the search before (the X
/// bit of .xdata), and LLVM leaves a handler out that is not said to be for both.
///
/// `bti` stands where an indirect branch arrives (hint 36 is `bti j`). There is none at the beginning: the unwind codes
/// would have to stand for it, and nothing on Windows marks an image's pages as guarded.
macro_rules! protected_call {
    () => {
        $crate::arch::protected_call_asm!(
            ".seh_proc wasmtrap_call",
            "sub sp, sp, #{frame}",
            ".seh_stackalloc {frame}",
            "stp x29, x30, [sp, #{saved}]",
            ".seh_save_fplr {saved}",
            "stp x19, x20, [sp, #{saved} + 16]",
            ".seh_save_regp x19, {saved} + 16",
            "stp x21, x22, [sp, #{saved} + 32]",
            ".seh_save_regp x21, {saved} + 32",
            "stp x23, x24, [sp, #{saved} + 48]",
            ".seh_save_regp x23, {saved} + 48",
            "stp x25, x26, [sp, #{saved} + 64]",
            ".seh_save_regp x25, {saved} + 64",
            "stp x27, x28, [sp, #{saved} + 80]",
            ".seh_save_regp x27, {saved} + 80",
            "stp d8, d9, [sp, #{saved} + 96]",
            ".seh_save_fregp d8, {saved} + 96",
            "stp d10, d11, [sp, #{saved} + 112]",
            ".seh_save_fregp d10, {saved} + 112",
            "stp d12, d13, [sp, #{saved} + 128]",
            ".seh_save_fregp d12, {saved} + 128",
            "stp d14, d15, [sp, #{saved} + 144]",
            ".seh_save_fregp d14, {saved} + 144",
            ".seh_endprologue",
            "add x29, sp, #{saved}",
            $crate::arch::load_thread!("x9", "x10"),
            $crate::arch::check_a_call!(),
            "add x10, sp, #{frame}",
            "cmp x13, x10",
            "b.ls 3f",
            // From here on a shutdown finds the thread inside. It sets `attention` before it looks; each side has a
            // barrier, so that one of the two sees the other (`outside::library`).
            "add x10, x12, #1",
            "str x10, [x9, #{depth}]",
            "dmb ish",
            "ldrb w10, [x9, #{attention}]",
            "cbnz w10, 30f",
            "21:", // x11 is the place of this call's entry, x13 the entry before it
            "str x13, [sp, #{previous}]",
            "str x2, [sp, #{trap}]",
            "stp xzr, xzr, [sp, #{droppable}]", // and `run`
            "mrs x12, fpcr",
            "str x12, [sp, #{float_control}]",
            "str xzr, [sp, #{shadow_stack}]",
            "ldr x14, [x18, #{stack_base}]",
            "ldr x15, [x18, #{deallocation_stack}]",
            "stp x14, x15, [sp, #{bounds}]",
            $crate::arch::seal_a_call!(),
            "stlr x16, [x11]", // from here on a trap lands here
            "mov x10, x0",
            "mov x0, x1",
            "blr x10",
            // The thread may be another one by now (a fiber), so its pointer is read again.
            $crate::arch::load_thread!("x9", "x10"),
            $crate::arch::end_a_call!(),
            // The function has kept x19 to x28 and d8 to d15.
            "7:",
            ".seh_startepilogue",
            "ldp x29, x30, [sp, #{saved}]",
            ".seh_save_fplr {saved}",
            "add sp, sp, #{frame}",
            ".seh_stackalloc {frame}",
            ".seh_endepilogue",
            "ret",
            // The chain does not end with this call.
            "2:",
            "mov x0, sp",
            "bl {returned_out_of_order}",
            "b 7b",

            // From here to the record's end, w19 tells what is left to do: 0 to hand out this thread's record, 1
            // nothing, 3 the same after a raise out of a fault handler.
            $crate::arch::define_label!($crate::arch::landing_label!()),
            "hint #36",
            "mov w19, wzr",
            "b 72f",
            // After a raise, with the activation in x0, the record has been handed out, and w1 is 1 or 3.
            $crate::arch::define_label!($crate::arch::raise_landing_label!()),
            "mov sp, x0",
            "mov w19, w1",
            "72:",
            "add x29, sp, #{saved}",
            "ldr x10, [sp, #{float_control}]",
            "msr fpcr, x10",
            // The trap may have left another stack than this, whose bounds the thread's block has. How far this one had
            // grown by then is found out in ordinary context; until then as far as it is used now.
            "ldp x10, x11, [sp, #{bounds}]",
            "ldr x12, [x18, #{stack_base}]",
            "cmp x10, x12",
            "b.eq 76f",
            "mov x12, sp",
            "and x12, x12, #-4096",
            "str x12, [x18, #{stack_limit}]",
            "str x10, [x18, #{stack_base}]",
            "str x11, [x18, #{deallocation_stack}]",
            "bl {stack_is_back}",
            "76:",
            "cmp w19, #1",
            "b.eq 73f",
            "mov x0, sp",
            "mov w1, w19",
            "bl {trapped}",
            "73:",
            $crate::arch::restore_callee_saved!(),
            "mov w0, #{trapped_status}",
            "b 7b",

            // Not ready, or a bad argument, or no room, or a call that may have been left. `prepare` makes room too,
            // and makes the depth one higher. The arguments are kept where they do not disturb: the call has no entry.
            "30:",
            "str x12, [x9, #{depth}]",
            "3:",
            "stp x0, x1, [sp, #{droppable}]",
            "str x2, [sp, #{trap}]",
            "mov x3, sp",
            "bl {prepare}",
            "cbnz w0, 7b",
            "ldp x0, x1, [sp, #{droppable}]",
            "ldr x2, [sp, #{trap}]",
            $crate::arch::load_thread!("x9", "x10"),
            "ldr x12, [x9, #{depth}]",
            "ldr x11, [x9, #{entries}]",
            "sub x12, x12, #1",
            "add x11, x11, x12, lsl #3",
            "ldur x13, [x11, #-8]",
            "b 21b",
            ".seh_handler {passed}, @unwind, @except",
            ".seh_endproc",
            saved = const size_of::<$crate::shared::activation::Activation>().next_multiple_of(16),
            bounds = const $crate::arch::FRAME_SIZE - 16,
            frame = const $crate::arch::FRAME_SIZE,
        )
    };
}
pub(crate) use protected_call;

// What the unwind codes can say of the frame: its size (alloc_s), and the places of registers (save_regp and the like).
const _: () = assert!(FRAME_SIZE.is_multiple_of(16) && FRAME_SIZE < 512 && ACTIVATION_SPACE + SAVED - 16 <= 504);
// What the instructions at the thread's block can say.
const _: () = assert!(DEALLOCATION_STACK.is_multiple_of(8) && DEALLOCATION_STACK < 4096 * 8);
const _: () = assert!(STACK_BASE < STACK_LIMIT && STACK_LIMIT < DEALLOCATION_STACK);

/// The body of a function that is never called: no sanitizer here wants to see a longjmp (`sanitizers::need_jumps`).
macro_rules! call_within_a_jump {
    () => {
        core::arch::naked_asm!("brk #1")
    };
}
pub(crate) use call_within_a_jump;

/// The body of `wasmtrap_raise(code: w0, payload: x1) -> !`: tells Rust where it was called from, and lands.
macro_rules! raise {
    () => {
        core::arch::naked_asm!(
            ".seh_proc wasmtrap_raise",
            "stp x29, x30, [sp, #-16]!",
            ".seh_save_fplr_x 16",
            ".seh_endprologue",
            "mov x2, x30",
            "add x3, sp, #16",
            "mov x4, x29",
            "mov x29, sp",
            "bl {raised}",
            concat!("b ", $crate::arch::raise_landing_label!()),
            ".seh_endproc",
            raised = sym $crate::outside::call::raised,
        )
    };
}
pub(crate) use raise;

/// The body of `wasmtrap_run_call(run: x0, function: x1, argument: x2, trap: x3) -> w0`.
macro_rules! run_call {
    () => {
        $crate::arch::run_call_asm!(
            ".seh_proc wasmtrap_run_call",
            "stp x29, x30, [sp, #-64]!",
            ".seh_save_fplr_x 64",
            "mov x29, sp",
            ".seh_set_fp",
            ".seh_endprologue",
            "str x0, [sp, #16]",
            "str x1, [sp, #16 + {function}]",
            "str x2, [sp, #16 + {argument}]",
            "str x3, [sp, #16 + {trap}]",
            "add x0, sp, #16",
            "bl {prepare}",
            "cbnz w0, 2f",
            $crate::arch::address_of!("x0", "{begin}"),
            "add x1, sp, #16",
            "ldr x2, [sp, #16 + {trap}]",
            "bl wasmtrap_call",
            "mov w1, w0",
            "add x0, sp, #16",
            "bl {end}",
            "2:",
            ".seh_startepilogue",
            "ldp x29, x30, [sp], #64",
            ".seh_save_fplr_x 64",
            ".seh_endepilogue",
            "ret",
            ".seh_endproc",
        )
    };
}
pub(crate) use run_call;

const _: () = assert!(size_of::<crate::outside::runs::Arguments>() <= 64 - 16);

/// The body of the function that a run's protected call calls, `(arguments: x0)`.
macro_rules! begin_run {
    () => {
        $crate::arch::begin_run_asm!(
            "wasmtrap_begin_run:",
            ".seh_proc wasmtrap_begin_run",
            "stp x29, x30, [sp, #-32]!",
            ".seh_save_fplr_x 32",
            "mov x29, sp",
            ".seh_set_fp",
            ".seh_endprologue",
            "str x0, [sp, #16]",
            "bl {begin}",
            "ldr x12, [sp, #16]",
            ".seh_startepilogue",
            "ldp x29, x30, [sp], #32",
            ".seh_save_fplr_x 32",
            ".seh_endepilogue",
            "ldr x0, [x12, #{argument}]",
            "ldr x9, [x12, #{word}]",
            "ldr x16, [x12, #{function}]",
            "b {enter}",
            ".seh_endproc",
        )
    };
}
pub(crate) use begin_run;

/// The body of `enter_guest(argument: x0, the run's word: x9, function: x16)`. `br x16` satisfies the guest's `bti c`.
macro_rules! enter_guest {
    () => {
        core::arch::naked_asm!(
            "ldrb w10, [x9]",
            "tbnz w10, #0, 2f",
            "br x16",
            "2:",
            "b {interrupted}",
            interrupted = sym $crate::arch::interrupted_at_entry,
        )
    };
}
pub(crate) use enter_guest;

/// The bytes of `enter_guest`'s first three instructions: in each of them the guest has not begun.
pub(crate) const ENTERING: usize = 12;

/// The body of the function to which that one goes, with the registers as they are there.
macro_rules! interrupted_at_entry {
    () => {
        core::arch::naked_asm!(
            "wasmtrap_interrupted_at_entry:",
            ".seh_proc wasmtrap_interrupted_at_entry",
            "stp x29, x30, [sp, #-48]!",
            ".seh_save_fplr_x 48",
            ".seh_endprologue",
            "stp x0, x9, [sp, #16]",
            "str x16, [sp, #32]",
            "mov x0, x16",
            "add x1, sp, #48",
            "mov x2, x29",
            "mov x29, sp",
            "bl {at_first_instruction}",
            "cbz x0, 2f",
            concat!("b ", $crate::arch::raise_landing_label!()),
            // Taken back in between.
            "2:",
            "ldp x0, x9, [sp, #16]",
            "ldr x16, [sp, #32]",
            ".seh_startepilogue",
            "ldp x29, x30, [sp], #48",
            ".seh_save_fplr_x 48",
            ".seh_endepilogue",
            "b {enter}",
            ".seh_endproc",
            at_first_instruction = sym $crate::outside::runs::at_first_instruction,
            enter = sym $crate::arch::enter_guest,
        )
    };
}
pub(crate) use interrupted_at_entry;

/// The body of `wasmtrap_interrupt_point()`.
macro_rules! interrupt_point {
    () => {
        $crate::arch::interrupt_point_asm!(
            ".seh_proc wasmtrap_interrupt_point",
            "stp x29, x30, [sp, #-16]!",
            ".seh_save_fplr_x 16",
            ".seh_endprologue",
            $crate::arch::load_thread!("x9", "x10"),
            "cbz x9, 3f",
            "ldrb w10, [x9, #{attention}]",
            "tst w10, #{interrupt}",
            "b.eq 3f",
            "mov x0, x30",
            "add x1, sp, #16",
            "mov x2, x29",
            "mov x29, sp",
            "bl {at_point}",
            "cbz x0, 3f",
            concat!("b ", $crate::arch::raise_landing_label!()),
            "3:",
            ".seh_startepilogue",
            "ldp x29, x30, [sp], #16",
            ".seh_save_fplr_x 16",
            ".seh_endepilogue",
            "ret",
            ".seh_endproc",
        )
    };
}
pub(crate) use interrupt_point;

/// The body of `call_fault_handler(handler: x0, fault: x1) -> w0`. It has a frame: where the handler is left by an
/// exception or by a longjmp that unwinds, the unwinder calls `left`.
macro_rules! call_fault_handler {
    () => {
        $crate::arch::call_fault_handler_asm!(
            ".seh_proc {this}",
            "stp x29, x30, [sp, #-16]!",
            ".seh_save_fplr_x 16",
            "mov x29, sp",
            ".seh_set_fp",
            ".seh_endprologue",
            "mov x9, x0",
            "mov x0, x1",
            "ldr x1, [x9, #{user}]",
            "ldr x16, [x9, #{function}]",
            "blr x16",
            "nop", // what follows the call must not be taken for an epilogue, whose frame has nobody to tell
            ".seh_startepilogue",
            "ldp x29, x30, [sp], #16",
            ".seh_save_fplr_x 16",
            ".seh_endepilogue",
            "ret",
            ".seh_handler {left}, @unwind, @except",
            ".seh_endproc",
            this = sym $crate::arch::call_fault_handler,
            left = sym $crate::outside::platform::fault_handler_was_left,
        )
    };
}
pub(crate) use call_fault_handler;
