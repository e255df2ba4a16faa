//! Leaving a handler for a landing by rt_sigreturn, and what makes that cheaper.
//!
//! rt_sigreturn puts the signal mask back in the same step in which it leaves the alternate stack, so that no signal
//! finds the thread there, and it is one of the four system calls that a strict seccomp filter allows. A jump to the
//! landing and rt_sigprocmask there would take a little less, and such a process would be killed at its first trap.
//!
//! A protected call restores the callee-saved state, MXCSR and the x87 control word from its own frame, and all other
//! registers are lost to it in any call. So the frame need not say much of them:
//!
//! - with rcx and r11 as `sysret` leaves them, and without the resume flag, which a fault has set, the kernel takes
//!   that instruction instead of `iretq` (the checks on the way back from a system call, arch/x86/entry/);
//! - without the extended state it makes the initial one instead of reading 2 KiB and more (fpu__restore_sig,
//!   arch/x86/kernel/fpu/signal.c). Only where nobody else will look at the frame, and where the initial rights by
//!   protection keys are those of the interrupted code.

use core::arch::asm;

use libc::{siginfo_t, ucontext_t};

use super::context::{Context, extended_state, extended_state_place};
use super::{earlier_handler, rights};
use crate::inside::signals::forward::Entrance;

/// Gets the context, which has been made to resume at a landing, ready for that.
pub(crate) fn prepare(info: &siginfo_t, context: &mut ucontext_t, entrance: Entrance) {
    let nobody_looks = earlier_handler::kernel_called(info, context, entrance);
    let without_state = nobody_looks && same_protection_keys(context);
    suit_sysret(&mut context.uc_mcontext);
    if without_state {
        // SAFETY: a word of the context, and aligned like its registers.
        unsafe { extended_state_place(context).write(core::ptr::null_mut()) };
    }
}

/// Makes the registers such as `sysret` can bring about.
fn suit_sysret(machine: &mut libc::mcontext_t) {
    const RESUME_FLAG: i64 = 1 << 16;
    let registers = &mut machine.gregs;
    registers[libc::REG_EFL as usize] &= !RESUME_FLAG;
    registers[libc::REG_RCX as usize] = registers[libc::REG_RIP as usize];
    registers[libc::REG_R11 as usize] = registers[libc::REG_EFL as usize];
}

/// Whether what the embedder handed to wasmtrap_call can be read here: a handler has other rights than its code.
pub(crate) fn can_read_arguments(context: &Context<'_>) -> bool {
    same_protection_keys(context.as_raw())
}

/// Whether this thread's rights by protection keys are those of the code that was interrupted.
fn same_protection_keys(context: &ucontext_t) -> bool {
    let place = rights::place();
    if place == 0 {
        return true;
    }
    let Some(then) = saved_rights(context, place) else { return false };
    let now: u32;
    // SAFETY: the processor has PKRU and the kernel has turned it on, or there would be no place for it.
    unsafe {
        asm!("rdpkru", in("ecx") 0, out("eax") now, out("edx") _, options(nomem, nostack, preserves_flags));
    }
    now == then
}

/// The rights of the code that was interrupted, which the frame's extended state has at `place`; `None` if they are not
/// in it.
fn saved_rights(context: &ucontext_t, place: usize) -> Option<u32> {
    /// Bit 9 of XCR0 and XSTATE_BV is PKRU's.
    const PKRU_BIT: u64 = 1 << 9;
    const HEADER: usize = 512;
    let size = earlier_handler::extended_state_size(context)?;
    if place + size_of::<u32>() > size {
        return None;
    }
    let area = extended_state(context);
    // SAFETY: the frame's state has `size` bytes, more than its header; both places are aligned to their sizes.
    unsafe {
        // Not in use means the initial value, which gives all rights.
        let in_use = area.add(HEADER).cast::<u64>().read() & PKRU_BIT != 0;
        Some(if in_use { area.add(place).cast::<u32>().read() } else { 0 })
    }
}

#[cfg(test)]
#[path = "leave_x86_64_tests.rs"]
mod tests;
