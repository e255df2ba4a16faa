//! Leaving a handler without rt_sigreturn: a trap goes straight to its landing, and saves the dearer system call.
//!
//! rt_sigreturn puts back what the kernel changed for the handler, and what the frame says of the interrupted code. A
//! protected call needs little of that: it restores the callee-saved state, MXCSR and the x87 control word from its
//! own frame, and all other registers are lost to it in any call. What is left is looked at, and where any of it is
//! not as it was, the context is rewritten and the kernel does its work:
//!
//! - a handler that called our entry point wants to be returned to; one that has jumped to it has nothing left to do;
//! - the alternate stack: Linux tells by the stack pointer whether it is in use (on_sig_stack,
//!   include/linux/sched/signal.h), but for SS_AUTODISARM, which only rt_sigreturn undoes;
//! - protection keys: a handler starts with the default rights (sig_prepare_pkru, arch/x86/kernel/signal.c), and the
//!   frame has those of the interrupted code;
//! - a user shadow stack, which has a token of the delivery on it (setup_signal_shadow_stack, arch/x86/kernel/shstk.c);
//! - a single step of the program's own (the trap flag), which the kernel has switched off for the handler.
//!
//! The signal mask is put back by a system call of its own, on the stack of the protected call, so that the signals
//! that have waited find the thread there. Where a seccomp filter refuses that one, rt_sigreturn does it.

use core::arch::asm;

use libc::{siginfo_t, ucontext_t};

use super::context::{Context, extended_state};
use super::rights;
use super::{earlier_handler, kernel};
use crate::arch;
use crate::inside::signals::forward::Entrance;

const TRAP_FLAG: i64 = 1 << 8;

/// Lands where the context says, if nothing of the kernel's has to be put back; returns otherwise.
///
/// # Safety
/// The arguments are what the entry point was given, and the context has been made to resume at a landing.
pub(crate) unsafe fn land_directly(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) {
    let registers = &context.uc_mcontext.gregs;
    let untouched = earlier_handler::kernel_called(info, context, entrance)
        && context.uc_stack.ss_flags as u32 & earlier_handler::SS_AUTODISARM == 0
        && registers[libc::REG_EFL as usize] & TRAP_FLAG == 0
        && !arch::has_shadow_stack()
        && same_protection_keys(context);
    if !untouched {
        return;
    }
    let activation = registers[libc::REG_RSP as usize] as usize;
    // SAFETY: the landing needs its stack pointer and nothing else. A handler starts with the initial x87 state
    // (fpu__clear_user_states, arch/x86/kernel/fpu/core.c), which nothing here changes.
    unsafe { arch::land_directly(activation, kernel::mask_of(&context.uc_sigmask), entrance.sp) }
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
