//! Leaving a handler for a landing: by rt_sigreturn, and what makes that cheaper; or by a jump.
//!
//! rt_sigreturn is one of the four system calls that a strict seccomp filter allows. A jump to the landing and
//! rt_sigprocmask there take less, and such a process would be killed at its first trap: it is for who asks for it
//! (WASMTRAP_INIT_LEAVE_BY_JUMP). All signals stay blocked until the thread is on the stack of its protected call, so
//! that none finds it on the alternate one. What else rt_sigreturn puts back has to be as it was, or not to matter:
//!
//! - the frame is the kernel's, and nobody else is to return to it;
//! - the alternate stack is armed still (not SS_AUTODISARM, which rt_sigreturn undoes);
//! - there is no user shadow stack, on which the kernel has a token of its own (the landing would pop that too, which
//!   nobody could try);
//! - rights by protection keys are those of the interrupted code;
//! - the interrupted code was not stepping itself (the trap flag is off in a handler);
//! - the registers and the extended state are lost to the protected call. The kernel starts a handler with the initial
//!   state (fpu__clear_user_states, arch/x86/kernel/fpu/core.c), with an empty x87 stack.
//!
//! For rt_sigreturn: a protected call restores the callee-saved state, MXCSR and the x87 control word from its own
//! frame, and all other registers are lost to it in any call. So the frame need not say much of them:
//!
//! - with rcx and r11 as `sysret` leaves them, and without the resume flag, which a fault has set, the kernel takes
//!   that instruction instead of `iretq` (the checks on the way back from a system call, arch/x86/entry/);
//! - without the extended state it makes the initial one instead of reading 2 KiB and more (fpu__restore_sig,
//!   arch/x86/kernel/fpu/signal.c). Only where nobody else will look at the frame, and where the initial rights by
//!   protection keys are those of the interrupted code.

use core::arch::asm;
use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::context::{Context, extended_state, extended_state_place};
use super::{earlier_handler, kernel, rights};
use crate::arch;
use crate::inside::signals::forward::Entrance;
use crate::shared::state;

/// Leaves for the landing at which the context has been made to resume; or gets the context ready for it, and returns.
pub(crate) fn leave(info: &siginfo_t, context: &mut ucontext_t, entrance: Entrance) {
    let nobody_looks = earlier_handler::kernel_called(info, context, entrance);
    let without_state = nobody_looks && same_protection_keys(context);
    if without_state && state::LEAVES_BY_JUMP.load(Ordering::Relaxed) && nothing_else_is_put_back(context) {
        let activation = context.uc_mcontext.gregs[libc::REG_RSP as usize] as usize;
        let mask = kernel::mask_of(&context.uc_sigmask);
        // SAFETY: the kernel has called the handler, with all signals blocked; the context resumes at the landing.
        unsafe { arch::leave_by_jump(activation, mask, entrance.sp) }
    }
    suit_sysret(&mut context.uc_mcontext);
    if without_state {
        // SAFETY: a word of the context, and aligned like its registers.
        unsafe { extended_state_place(context).write(core::ptr::null_mut()) };
    }
}

/// Whether the context has nothing but the registers, the mask and the extended state for rt_sigreturn to put back.
fn nothing_else_is_put_back(context: &ucontext_t) -> bool {
    const TRAP_FLAG: i64 = 1 << 8;
    let armed = context.uc_stack.ss_flags as u32 & earlier_handler::SS_AUTODISARM == 0;
    armed && context.uc_mcontext.gregs[libc::REG_EFL as usize] & TRAP_FLAG == 0 && !arch::has_shadow_stack()
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
