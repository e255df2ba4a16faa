//! What is the same in every protected call on arm64, whatever the system and its unwind tables are.
//!
//! The pieces of assembly are parts of `wasmtrap_call`, which has the frame, the labels and the operands. Registers: x0
//! to x2 are its arguments, x9 the thread's record, x11 the place of the call's entry, x12 its index and then FPCR, x13
//! the entry before it; sp is at the activation.

use core::arch::asm;

use super::this::call_frame;
use super::thread_pointer::load_thread;
use crate::shared::activation::Activation;
use crate::shared::thread::Thread;

/// This thread's record, null if it is not attached.
#[inline(always)]
pub(crate) fn current_thread() -> *const Thread {
    let thread: *const Thread;
    // SAFETY: reads the thread's word; it is only ever null or what `set_current_thread` wrote on this thread.
    unsafe {
        asm!(
            load_thread!("{0}", "{1}"),
            out(reg) thread,
            out(reg) _,
            options(nostack, readonly, preserves_flags, pure)
        );
    }
    thread
}

// One instruction writes both.
const _: () =
    assert!(core::mem::offset_of!(Activation, run) == core::mem::offset_of!(Activation, droppable) + size_of::<u64>());

/// How many words the seal is over.
pub(crate) const SEALED_WORDS: usize = 16;

/// The words that the seal is over, in the order in which `wasmtrap_call` takes them. d8 to d15 are not among them: no
/// address is in them.
///
/// # Safety
/// The frame of the activation can be read.
pub(crate) unsafe fn sealed_words(activation: *const Activation) -> [u64; SEALED_WORDS] {
    let frame = call_frame(activation);
    // SAFETY: the caller's promise.
    let word = |index: usize| unsafe { core::ptr::with_exposed_provenance::<u64>(frame + 8 * index).read() };
    // SAFETY: the caller's promise.
    let (trap, previous, float_control) = unsafe {
        (
            (&raw const (*activation).trap).read(),
            (&raw const (*activation).previous).read(),
            (&raw const (*activation).float_control).read(),
        )
    };
    [
        word(0), // x29
        word(1), // x30, the return address
        word(2), // x19 to x28
        word(3),
        word(4),
        word(5),
        word(6),
        word(7),
        word(8),
        word(9),
        word(10),
        word(11),
        activation.addr() as u64,
        previous.addr() as u64,
        trap.addr() as u64,
        float_control,
    ]
}

/// The code address that a return address stands for: code built with pointer authentication signs those that it keeps
/// on the stack. `hint #7` is xpaclri, which does nothing where there is no such thing.
pub(crate) fn code_address(return_address: usize) -> usize {
    let address: usize;
    // SAFETY: changes x30 only.
    unsafe {
        asm!("hint #7", inlateout("x30") return_address => address, options(nostack, nomem, preserves_flags, pure));
    }
    address
}

/// Tells the current stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nostack, nomem, preserves_flags)) };
    sp
}

/// What is checked here is what the slow path at label 3 would find in order; it finds the words for what is not.
/// Afterwards the next call out has to be compared with the place of this one.
macro_rules! check_a_call {
    () => {
        concat!(
            "cbz x9, 3f\n",
            "cbz x0, 3f\n",
            "cbz x2, 22f\n",
            "ldr x10, [x2, #{trap_size}]\n",
            "mov x11, #{size_of_trap}\n",
            "cmp x10, x11\n",
            "b.ne 3f\n",
            "ldr x10, [x2, #{trap_frames}]\n",
            "cbnz x10, 22f\n",
            "ldr x10, [x2, #{trap_capacity}]\n",
            "cbnz x10, 3f\n",
            "22:\n",
            "ldr x12, [x9, #{depth}]\n",
            "ldr x10, [x9, #{capacity}]\n",
            "cmp x12, x10\n",
            "b.hs 3f\n",
            "ldr x11, [x9, #{entries}]\n",
            "add x11, x11, x12, lsl #3\n",
            // The next call out must be further out; else it may have been left by longjmp.
            "ldur x13, [x11, #-8]\n",
        )
    };
}
pub(crate) use check_a_call;

/// The seal: the words are those of `sealed_words`. Leaves the stack pointer in x16.
macro_rules! seal_a_call {
    () => {
        concat!(
            $crate::arch::address_of!("x10", "{keys}"),
            "\n",
            "ldp x16, x17, [x29]\n",
            "ldp x14, x15, [x10]\n",
            "madd x9, x16, x15, x17\n",
            "ldp x16, x17, [x10, #16]\n",
            "madd x9, x9, x16, x19\n",
            "madd x9, x9, x17, x20\n",
            "ldp x16, x17, [x10, #32]\n",
            "madd x9, x9, x16, x21\n",
            "madd x9, x9, x17, x22\n",
            "ldp x16, x17, [x10, #48]\n",
            "madd x9, x9, x16, x23\n",
            "madd x9, x9, x17, x24\n",
            "mul x9, x9, x14\n",
            "ldp x14, x15, [x10, #64]\n",
            "madd x15, x25, x15, x26\n",
            "ldp x16, x17, [x10, #80]\n",
            "madd x15, x15, x16, x27\n",
            "madd x15, x15, x17, x28\n",
            "ldp x16, x17, [x10, #96]\n",
            "mul x15, x15, x16\n",
            "add x15, sp, x15\n",
            "madd x15, x15, x17, x13\n",
            "ldp x16, x17, [x10, #112]\n",
            "madd x15, x15, x16, x2\n",
            "madd x15, x15, x17, x12\n",
            "madd x9, x15, x14, x9\n",
            "ldr x14, [x10, #128]\n",
            "add x9, x9, x14\n",
            "mov x16, sp\n",
            "str x9, [sp, #{seal}]\n",
        )
    };
}
pub(crate) use seal_a_call;

/// Takes the call off the chain; label 2 is for where the chain does not end with it. The status is 0.
macro_rules! end_a_call {
    () => {
        concat!(
            "cbz x9, 2f\n",
            "ldr x12, [x9, #{depth}]\n",
            "ldr x11, [x9, #{entries}]\n",
            "sub x12, x12, #1\n",
            "ldr x10, [x11, x12, lsl #3]\n",
            "mov x13, sp\n",
            "cmp x10, x13\n",
            "b.ne 2f\n",
            "str x12, [x9, #{depth}]\n",
            "str xzr, [x11, x12, lsl #3]\n",
            "str xzr, [sp, #{seal}]\n",
            "mov w0, wzr\n",
        )
    };
}
pub(crate) use end_a_call;

/// The caller's registers from the frame at x29, but for x29 and x30 themselves.
macro_rules! restore_callee_saved {
    () => {
        concat!(
            "ldp x19, x20, [x29, #16]\n",
            "ldp x21, x22, [x29, #32]\n",
            "ldp x23, x24, [x29, #48]\n",
            "ldp x25, x26, [x29, #64]\n",
            "ldp x27, x28, [x29, #80]\n",
            "ldp d8, d9, [x29, #96]\n",
            "ldp d10, d11, [x29, #112]\n",
            "ldp d12, d13, [x29, #128]\n",
            "ldp d14, d15, [x29, #144]\n",
        )
    };
}
pub(crate) use restore_callee_saved;
