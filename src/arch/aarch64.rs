//! arm64, AAPCS64.

use core::arch::asm;
#[cfg(target_os = "linux")]
use core::sync::atomic::Ordering;

use crate::shared::activation::Activation;
#[cfg(target_os = "linux")]
use crate::shared::state::STREAMING_MODE;

#[cfg(wasmtrap_mach)]
macro_rules! define_server_landing {
    () => {
        concat!($crate::arch::define_label!($crate::arch::server_landing_label!()), "\nhint #36\nmov w1, #2\nb 74f")
    };
}
#[cfg(wasmtrap_mach)]
pub(crate) use define_server_landing;

/// The activation, padded so that the registers above it and sp stay aligned to 16 bytes.
const ACTIVATION_SPACE: usize = size_of::<Activation>().next_multiple_of(16);

/// The frame pointer of the `wasmtrap_call` that the activation belongs to.
pub(crate) fn call_frame(activation: *const Activation) -> usize {
    activation.addr() + ACTIVATION_SPACE
}

/// Size of the registers that `wasmtrap_call` saves.
const SAVED: usize = 160;

/// From the activation to the end of the frame.
pub(crate) const FRAME_SIZE: usize = ACTIVATION_SPACE + SAVED;

/// The instruction between a call's store to its thread's list and its look at `attention`.
#[cfg(target_os = "macos")]
macro_rules! barrier {
    () => {
        "dmb ish"
    };
}
#[cfg(target_os = "macos")]
pub(crate) use barrier;

/// At a landing, with PSTATE.SM in bit 0 of x12 and PSTATE.ZA in bit 1, as they were at the fault: ends the streaming
/// mode (SME), which the caller of a protected call was not in. Vector registers are lost by that, which is why it
/// comes before the callee-saved ones come back. ZA goes off as well, unless what is in it is the caller's: AAPCS64
/// lets a function be called with ZA on if TPIDR2_EL0 points to a block that tells where to save it, and whoever needs
/// ZA for himself saves it there and sets TPIDR2_EL0 to 0 ("ZA lazy saving scheme"). So it is the caller's as long as
/// TPIDR2_EL0 is what it was at the call, and not 0; a block that has come since is of a frame that is gone, and is
/// forgotten. longjmp does the same (__arm_za_disable), but can save what will be lost here.
macro_rules! leave_streaming_mode {
    () => {
        concat!(
            "cbz x12, 74f\n",
            "tbz x12, #0, 78f\n",
            ".inst 0xd503427f\n", // smstop sm
            "78:\n",
            "tbz x12, #1, 74f\n",
            "mrs x10, S3_3_C13_C0_5\n", // TPIDR2_EL0
            "ldr x11, [sp, #{shadow_stack}]\n",
            "cbz x11, 79f\n",
            "cmp x10, x11\n",
            "b.eq 74f\n",
            "79:\n",
            "msr S3_3_C13_C0_5, xzr\n",
            ".inst 0xd503447f", // smstop za
        )
    };
}
pub(crate) use leave_streaming_mode;

/// The same for wasmtrap_raise, which is called outside of the streaming mode, but maybe with a block in TPIDR2_EL0 of
/// a frame that is dropped.
#[cfg(target_os = "linux")]
pub(crate) fn forget_dropped_za(activation: &Activation) {
    if STREAMING_MODE.load(Ordering::Relaxed) == 0 {
        return;
    }
    let block: u64;
    // SAFETY: the processor has the register, and Linux lets programs use it.
    unsafe { asm!("mrs {}, S3_3_C13_C0_5", out(reg) block, options(nostack, nomem, preserves_flags)) };
    if block != 0 && block != activation.shadow_stack {
        // SAFETY: as above; ZA is on, or there would be no block, and what is in it belongs to nobody any more.
        unsafe { asm!("msr S3_3_C13_C0_5, xzr", ".inst 0xd503447f", options(nostack, nomem, preserves_flags)) };
    }
}

/// At the end of `wasmtrap_call`: nothing of the caller's is in the frame any more. Without a red zone a signal may
/// overwrite what was.
macro_rules! caller_has_its_registers {
    () => {
        r#"
        .cfi_def_cfa sp, 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore d8
        .cfi_restore d9
        .cfi_restore d10
        .cfi_restore d11
        .cfi_restore d12
        .cfi_restore d13
        .cfi_restore d14
        .cfi_restore d15
        "#
    };
}
pub(crate) use caller_has_its_registers;

/// The body of `wasmtrap_call(function: x0, argument: x1, trap: x2) -> w0`.
///
/// The frame, from the bottom: the activation, at which sp points during the call, then x29 and x30, x19 to x28, d8 to
/// d15. A trap comes to `wasmtrap_landing` with sp there again and everything else lost.
///
/// An exception that passes through comes to label 6: the table at the end names it as a cleanup for the call, and the
/// personality routine is C's (`__gcc_personality_v0` of the compiler's runtime), which knows cleanups and nothing
/// else.
///
/// `bti` stands where an indirect branch arrives (hint 34 is `bti c`, hint 36 `bti j`).
macro_rules! protected_call {
    () => {
        $crate::arch::protected_call_asm!(
            ".cfi_startproc",
            $crate::arch::unwind_tables!(),
            ".cfi_remember_state",
            $crate::arch::define_itself!(),
            "20:",
            "hint #34",
            $crate::arch::load_thread!("x9", "x10"),
            $crate::arch::check_a_call!(),
            "mov x10, sp",
            "cmp x13, x10",
            "b.ls 3f",
            // From here on a shutdown finds the thread inside. It sets `attention` before it looks, and has all threads
            // pass a barrier in between, so that one of the two sees the other (`outside::library`).
            "add x10, x12, #1",
            "str x10, [x9, #{depth}]",
            $crate::arch::barrier_of_a_call!(),
            "ldrb w10, [x9, #{attention}]",
            "cbnz w10, 30f",
            "21:", // x11 is the place of this call's entry, x13 the entry before it
            "sub sp, sp, #{frame_size}",
            ".cfi_def_cfa_offset {frame_size}",
            "stp x29, x30, [sp, #{saved}]",
            "add x29, sp, #{saved}",
            ".cfi_def_cfa x29, {above_saved}",
            ".cfi_offset x29, -160",
            ".cfi_offset x30, -152",
            "stp x19, x20, [x29, #16]",
            "stp x21, x22, [x29, #32]",
            "stp x23, x24, [x29, #48]",
            "stp x25, x26, [x29, #64]",
            "stp x27, x28, [x29, #80]",
            "stp d8, d9, [x29, #96]",
            "stp d10, d11, [x29, #112]",
            "stp d12, d13, [x29, #128]",
            "stp d14, d15, [x29, #144]",
            ".cfi_offset x19, -144",
            ".cfi_offset x20, -136",
            ".cfi_offset x21, -128",
            ".cfi_offset x22, -120",
            ".cfi_offset x23, -112",
            ".cfi_offset x24, -104",
            ".cfi_offset x25, -96",
            ".cfi_offset x26, -88",
            ".cfi_offset x27, -80",
            ".cfi_offset x28, -72",
            ".cfi_offset d8, -64",
            ".cfi_offset d9, -56",
            ".cfi_offset d10, -48",
            ".cfi_offset d11, -40",
            ".cfi_offset d12, -32",
            ".cfi_offset d13, -24",
            ".cfi_offset d14, -16",
            ".cfi_offset d15, -8",
            "str x13, [sp, #{previous}]",
            "str x2, [sp, #{trap}]",
            "stp xzr, xzr, [sp, #{droppable}]", // and `run`
            "mrs x12, fpcr",
            "str x12, [sp, #{float_control}]",
            // TPIDR2_EL0, where there is a streaming mode: see `leave_streaming_mode`.
            $crate::arch::address_of!("x14", "{streaming_mode}"),
            "ldrb w14, [x14]",
            "cbz w14, 77f", // which is 0 then
            "mrs x14, S3_3_C13_C0_5",
            "77:",
            "str x14, [sp, #{shadow_stack}]",
            $crate::arch::seal_a_call!(),
            "stlr x16, [x11]", // from here on a trap lands here
            "mov x10, x0",
            "mov x0, x1",
            "4:",
            "blr x10",
            "5:",
            // The thread may be another one by now (a fiber), so its pointer is read again.
            $crate::arch::load_thread!("x9", "x10"),
            $crate::arch::end_a_call!(),
            ".cfi_remember_state",
            ".cfi_def_cfa sp, {frame_size}", // x29 is about to be the caller's
            "ldp x29, x30, [x29]",
            "add sp, sp, #{frame_size}",
            $crate::arch::caller_has_its_registers!(),
            "ret",
            ".cfi_restore_state",
            // The chain does not end with this call.
            "2:",
            "mov x0, sp",
            "bl {returned_out_of_order}",
            ".cfi_remember_state",
            ".cfi_def_cfa sp, {frame_size}", // x29 is about to be the caller's
            "ldp x29, x30, [x29]",
            "add sp, sp, #{frame_size}",
            $crate::arch::caller_has_its_registers!(),
            "ret",
            ".cfi_restore_state",

            // w1 tells what is left to do: 0 to hand out this thread's record, 2 the server's, 3 to put the signal mask
            // back, 1 nothing. x29 is nothing yet.
            ".cfi_remember_state",
            ".cfi_def_cfa sp, {frame_size}",
            $crate::arch::define_server_landing!(),
            $crate::arch::define_label!($crate::arch::landing_label!()),
            "hint #36",
            "mov w1, #0",
            $crate::arch::leave_streaming_mode!(),
            "74:",
            "add x29, sp, #{saved}",
            "mov x0, sp",
            "bl {trapped}",
            "b 72f",
            // After a raise, with the activation in x0, the record has been handed out, and w1 is 1 or 3.
            $crate::arch::define_label!($crate::arch::raise_landing_label!()),
            ".cfi_def_cfa x0, {frame_size}",
            "hint #36", // on macOS wasmtrap_raise comes by a register
            "mov sp, x0",
            ".cfi_def_cfa sp, {frame_size}",
            "cmp w1, #3",
            "b.eq 74b", // it sets x29
            "add x29, sp, #{saved}",
            "72:",
            ".cfi_restore_state",
            "ldr x10, [sp, #{float_control}]",
            "msr fpcr, x10",
            "mov w0, #{trapped_status}",
            $crate::arch::restore_callee_saved!(),
            ".cfi_remember_state",
            ".cfi_def_cfa sp, {frame_size}", // x29 is about to be the caller's
            "ldp x29, x30, [x29]",
            "add sp, sp, #{frame_size}",
            $crate::arch::caller_has_its_registers!(),
            "ret",
            ".cfi_restore_state",

            // An exception passes: x0 is its object. x19 is free, its caller's value is in the frame.
            "6:",
            "hint #36",
            "mov x19, x0",
            "mov x0, sp",
            "bl {unwound}",
            "mov x0, x19",
            "bl {resume_unwinding}",
            "brk #1",

            // Not ready, or a bad argument, or no room, or a call that may have been left. `prepare` makes room too,
            // and makes the depth one higher.
            ".cfi_restore_state",
            "30:",
            "str x12, [x9, #{depth}]",
            "3:",
            "stp x29, x30, [sp, #-48]!",
            ".cfi_def_cfa_offset 48",
            ".cfi_offset x29, -48",
            ".cfi_offset x30, -40",
            "mov x29, sp",
            "stp x0, x1, [sp, #16]",
            "str x2, [sp, #32]",
            "mov x3, sp",
            "bl {prepare}",
            "mov w9, w0",
            "ldp x0, x1, [sp, #16]",
            "ldr x2, [sp, #32]",
            "ldp x29, x30, [sp], #48",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x29",
            ".cfi_restore x30",
            "cbnz w9, 31f",
            $crate::arch::define_label!($crate::arch::prepared_call_label!()),
            "hint #34", // on macOS it is called by a register
            $crate::arch::load_thread!("x9", "x10"),
            "ldr x12, [x9, #{depth}]",
            "ldr x11, [x9, #{entries}]",
            "sub x12, x12, #1",
            "add x11, x11, x12, lsl #3",
            "ldur x13, [x11, #-8]",
            "b 21b",
            "31:",
            "cmp w9, #{within_a_jump}",
            "b.ne 32f",
            "b {call_within_a_jump}",
            "32:",
            "mov w0, w9",
            "ret",
            "9:",
            ".cfi_endproc",

            $crate::arch::exception_table!(),
            $crate::arch::label_addresses!(),
            streaming_mode = sym $crate::shared::state::STREAMING_MODE,
            saved = const size_of::<$crate::shared::activation::Activation>().next_multiple_of(16),
            above_saved = const 160,
            frame_size = const size_of::<$crate::shared::activation::Activation>().next_multiple_of(16) + 160,
        )
    };
}
pub(crate) use protected_call;

/// The body of a function with the parameters of `wasmtrap_call`, which have been checked: makes the call within a
/// setjmp, and jumps after a trap.
macro_rules! call_within_a_jump {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "stp x29, x30, [sp, #-48]!",
            ".cfi_def_cfa_offset 48",
            ".cfi_offset x29, -48",
            ".cfi_offset x30, -40",
            "mov x29, sp",
            ".cfi_def_cfa_register x29",
            "stp x19, x20, [x29, #16]",
            "str x21, [x29, #32]",
            ".cfi_offset x19, -32",
            ".cfi_offset x20, -24",
            ".cfi_offset x21, -16",
            "sub sp, sp, #{size_of_jump}",
            "mov x19, x0",
            "mov x20, x1",
            "mov x21, x2",
            "mov x0, sp",
            "mov w1, wzr",
            "bl {setjmp}",
            "hint #36",
            "cbnz w0, 2f",
            "mov x0, x19",
            "mov x1, x20",
            "mov x2, x21",
            $crate::arch::call_prepared!(),
            "cmp w0, #{trapped_status}",
            "b.ne 3f",
            "mov x0, sp",
            "mov w1, #1",
            "bl {longjmp}",
            "2:",
            "mov w0, #{trapped_status}",
            "3:",
            "mov sp, x29",
            "ldp x19, x20, [x29, #16]",
            "ldr x21, [x29, #32]",
            "ldp x29, x30, [sp], #48",
            $crate::arch::caller_has_its_registers!(),
            "ret",
            ".cfi_endproc",
            size_of_jump = const $crate::outside::call::SIZE_OF_JUMP,
            setjmp = sym $crate::outside::platform::set_jump,
            longjmp = sym $crate::outside::platform::jump,
            trapped_status = const $crate::abi::WASMTRAP_TRAPPED,
        )
    };
}
pub(crate) use call_within_a_jump;

/// The body of `wasmtrap_raise(code: w0, payload: x1) -> !`: tells Rust where it was called from, and lands.
macro_rules! raise {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "hint #34",
            "mov x2, x30",
            "mov x3, sp",
            "mov x4, x29",
            "stp x29, x30, [sp, #-16]!",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset x29, -16",
            ".cfi_offset x30, -8",
            "mov x29, sp",
            "bl {raised}",
            $crate::arch::jump_to_raise_landing!(),
            ".cfi_endproc",
            raised = sym $crate::outside::call::raised,
        )
    };
}
pub(crate) use raise;

/// The body of `wasmtrap_run_call(run: x0, function: x1, argument: x2, trap: x3) -> w0`.
macro_rules! run_call {
    () => {
        $crate::arch::run_call_asm!(
            ".cfi_startproc",
            "hint #34",
            "stp x29, x30, [sp, #-64]!",
            ".cfi_def_cfa_offset 64",
            ".cfi_offset x29, -64",
            ".cfi_offset x30, -56",
            "mov x29, sp",
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
            $crate::arch::call_itself!(),
            "mov w1, w0",
            "add x0, sp, #16",
            "bl {end}",
            "2:",
            "ldp x29, x30, [sp], #64",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x29",
            ".cfi_restore x30",
            "ret",
            ".cfi_endproc",
        )
    };
}
pub(crate) use run_call;

/// The body of the function that a run's protected call calls, `(arguments: x0)`.
macro_rules! begin_run {
    () => {
        $crate::arch::begin_run_asm!(
            ".cfi_startproc",
            "hint #34",
            "stp x29, x30, [sp, #-32]!",
            ".cfi_def_cfa_offset 32",
            ".cfi_offset x29, -32",
            ".cfi_offset x30, -24",
            "mov x29, sp",
            "str x0, [sp, #16]",
            "bl {begin}",
            "ldr x12, [sp, #16]",
            "ldp x29, x30, [sp], #32",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x29",
            ".cfi_restore x30",
            "ldr x0, [x12, #{argument}]",
            "ldr x9, [x12, #{word}]",
            "ldr x16, [x12, #{function}]",
            "b {enter}",
            ".cfi_endproc",
        )
    };
}
pub(crate) use begin_run;

/// The body of `enter_guest(argument: x0, the run's word: x9, function: x16)`. `br x16` satisfies the guest's `bti c`.
macro_rules! enter_guest {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "ldrb w10, [x9]",
            "tbnz w10, #0, 2f",
            "br x16",
            "2:",
            "b {interrupted}",
            ".cfi_endproc",
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
            ".cfi_startproc",
            "stp x29, x30, [sp, #-48]!",
            ".cfi_def_cfa_offset 48",
            ".cfi_offset x29, -48",
            ".cfi_offset x30, -40",
            "stp x0, x9, [sp, #16]",
            "str x16, [sp, #32]",
            "mov x0, x16",
            "add x1, sp, #48",
            "mov x2, x29",
            "mov x29, sp",
            "bl {at_first_instruction}",
            "cbz x0, 2f",
            $crate::arch::jump_to_raise_landing!(),
            // Taken back in between.
            "2:",
            "ldp x0, x9, [sp, #16]",
            "ldr x16, [sp, #32]",
            "ldp x29, x30, [sp], #48",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x29",
            ".cfi_restore x30",
            "b {enter}",
            ".cfi_endproc",
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
            ".cfi_startproc",
            "hint #34",
            $crate::arch::load_thread!("x9", "x10"),
            "cbz x9, 3f",
            "ldrb w10, [x9, #{attention}]",
            "tst w10, #{interrupt}",
            "b.eq 3f",
            "mov x0, x30",
            "mov x1, sp",
            "mov x2, x29",
            "stp x29, x30, [sp, #-16]!",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset x29, -16",
            ".cfi_offset x30, -8",
            "mov x29, sp",
            "bl {at_point}",
            "cbz x0, 2f",
            $crate::arch::jump_to_raise_landing!(),
            "2:",
            "ldp x29, x30, [sp], #16",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x29",
            ".cfi_restore x30",
            "3:",
            "ret",
            ".cfi_endproc",
        )
    };
}
pub(crate) use interrupt_point;

/// The body of `call_fault_handler(handler: x0, fault: x1) -> w0`. `br x16` satisfies the callee's `bti c`.
#[cfg(target_os = "macos")]
macro_rules! call_fault_handler {
    () => {
        $crate::arch::call_fault_handler_asm!(
            ".cfi_startproc",
            "mov x9, x0",
            "mov x0, x1",
            "ldr x1, [x9, #{user}]",
            "ldr x16, [x9, #{function}]",
            "br x16",
            ".cfi_endproc",
        )
    };
}

/// The same in a restartable sequence, where the C library has registered the thread's area for them: the kernel does
/// not let a thread that was interrupted between 2 and 3 go on there, but at 4, where it looks at the function again
/// (rseq_handle_notify_resume, kernel/rseq.c, from Linux 4.18 on). The word in front of 4 is the signature that the
/// kernel insists on: glibc's RSEQ_SIG, sysdeps/unix/sysv/linux/aarch64/bits/rseq.h. The kernel drops the pointer to
/// the sequence when it finds the thread elsewhere, whoever's code that is; what it points to stays in memory, as all
/// of the library does (`outside::pin`).
///
/// A debugger that goes from instruction to instruction interrupts each, and would never come to the end: after eight
/// interruptions in a row the pointer to the sequence stays what the kernel has made of it, null, and there is none.
#[cfg(target_os = "linux")]
macro_rules! call_fault_handler {
    () => {
        $crate::arch::call_fault_handler_asm!(
            ".pushsection .data.rel.ro.wasmtrap_call_fault_handler, \"aw\", @progbits",
            ".balign 32",
            "1:",
            ".4byte 0", // version
            ".4byte 0", // flags
            ".8byte 2f",
            ".8byte 3f - 2f",
            ".8byte 4f",
            ".popsection",
            ".cfi_startproc",
            "mov x9, x0",
            "mov x0, x1",
            "ldr x1, [x9, #{user}]",
            $crate::arch::address_of!("x10", "{sequences}"),
            "ldr x10, [x10]",
            "cbz x10, 2f",
            "mrs x11, tpidr_el0",
            "add x10, x10, x11",
            $crate::arch::address_of!("x11", "1b"),
            "mov w12, #{attempts}",
            "5:",
            "str x11, [x10, #{current_sequence}]",
            "2:",
            "ldr x16, [x9, #{function}]",
            "br x16",
            "3:",
            ".inst 0xd428bc00",
            "4:",
            "subs w12, w12, #1",
            "b.ne 5b",
            "b 2b",
            ".cfi_endproc",
            sequences = sym $crate::shared::state::RESTARTABLE_SEQUENCES,
            current_sequence = const 8, // rseq_cs of struct rseq, <linux/rseq.h>
            attempts = const 8,
        )
    };
}
pub(crate) use call_fault_handler;

/// The body of a signal entry point, `(signal: w0, siginfo: x1, ucontext: x2)`: adds the stack pointer, the number of
/// the entry point, the link register and the frame pointer, from which `entered` can tell whether the kernel called or
/// another handler did, and with what.
macro_rules! signal_entry {
    ($entry:literal, $entered:ident) => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "hint #34",
            "mov x3, sp",
            "mov w4, #{entry}",
            "mov x5, x30",
            "mov x6, x29",
            "b {entered}",
            ".cfi_endproc",
            // ENTRY_MARK, as instructions that nobody comes to.
            "movz w16, #0x6177",
            "movk w16, #0x6d73, lsl #16",
            "movz w17, #0x7274",
            "movk w17, #0x7061, lsl #16",
            "b {forwards_to}",
            entry = const $entry,
            entered = sym $crate::inside::signals::entry::$entered,
            forwards_to = sym $crate::inside::signals::entry::forwards_to,
        )
    };
}
pub(crate) use signal_entry;

/// What follows the end of a signal entry point of this library, and of no other function.
pub(crate) const ENTRY_MARK: [u8; 16] = {
    const fn instruction(opcode: u32, immediate: u32, register: u32) -> [u8; 4] {
        (opcode | immediate << 5 | register).to_le_bytes()
    }
    /// movz and movk into the upper half, of 32 bits.
    const LOW: u32 = 0x5280_0000;
    const HIGH: u32 = 0x72a0_0000;
    let [a, b, c, d] = instruction(LOW, 0x6177, 16);
    let [e, f, g, h] = instruction(HIGH, 0x6d73, 16);
    let [i, j, k, l] = instruction(LOW, 0x7274, 17);
    let [m, n, o, p] = instruction(HIGH, 0x7061, 17);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
};

/// The size of the branch that follows it.
pub(crate) const JUMP_SIZE: usize = 4;

/// Where a branch goes that is this, and which ends at `end`.
pub(crate) fn jump_target(end: usize, jump: [u8; 4]) -> usize {
    // The lower 26 bits are the distance in instructions, from its own address.
    let distance = (i32::from_le_bytes(jump) << 6) >> 4;
    end.wrapping_sub(4).wrapping_add_signed(distance as isize)
}

/// Whether the thread has a user shadow stack. The guarded control stack of arm64 is not supported.
#[cfg(target_os = "linux")]
pub(crate) fn has_shadow_stack() -> bool {
    false
}

/// rt_sigreturn from the signal frame at `frame`.
///
/// # Safety
/// The frame is whole; nothing of the current stack is needed any more.
#[cfg(target_os = "linux")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn return_from_signal(frame: usize) -> ! {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "mov x9, sp",
        ".cfi_def_cfa_register x9",
        "mov sp, x0",
        "mov x8, #139",
        "svc #0",
        "brk #1",
        ".cfi_endproc"
    )
}

/// Ends the process by a fault, in a handler that has its signal blocked: by this signal, where an instruction makes
/// it.
#[inline(never)]
pub(crate) fn die_of(signal: libc::c_int) -> ! {
    // SAFETY: none of these returns: the kernel ends the process for a fault whose signal is blocked.
    unsafe {
        match signal {
            libc::SIGSEGV => asm!("mov x0, xzr", "ldr x0, [x0]", out("x0") _, options(nostack)),
            libc::SIGTRAP => asm!("brk #0", options(nostack)),
            _ => (),
        }
        asm!("udf #0", options(noreturn, nostack))
    }
}

/// A system call, with the kernel's own return value: -errno for errors. errno itself is not touched.
///
/// # Safety
/// As the system call's.
#[inline(always)]
#[cfg(target_os = "linux")]
pub(crate) unsafe fn system_call(number: libc::c_long, arguments: [usize; 4]) -> isize {
    let result: isize;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") arguments[0] as isize => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            options(nostack)
        );
    }
    result
}

/// The body of a function that calls another one on another stack and comes back:
/// `(function: x0, argument: x1, top: x2)`, where `top` is a multiple of 16.
#[cfg(wasmtrap_mach)]
macro_rules! call_on_stack {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "stp x29, x30, [sp, #-16]!",
            "mov x29, sp",
            ".cfi_def_cfa x29, 16",
            ".cfi_offset x29, -16",
            ".cfi_offset x30, -8",
            "mov sp, x2",
            "mov x9, x0",
            "mov x0, x1",
            "blr x9",
            "mov sp, x29",
            "ldp x29, x30, [sp], #16",
            ".cfi_def_cfa sp, 0",
            "ret",
            ".cfi_endproc",
        )
    };
}
#[cfg(wasmtrap_mach)]
pub(crate) use call_on_stack;
