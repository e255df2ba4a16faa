//! The system calls of the forwarding path, made directly: libc's wrappers touch errno, which belongs to the code that
//! was interrupted.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::interrupted_stack;
use crate::arch::system_call;
use crate::shared::state;

/// What rt_sigaction takes on x86-64 and arm64.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// The kernel's sigset_t is 64 bits.
const SIGSET_SIZE: usize = 8;

/// A set of signals in the kernel's form: signal n is bit n - 1.
pub(crate) fn mask_of(set: &libc::sigset_t) -> u64 {
    // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
    unsafe { core::ptr::from_ref(set).cast::<u64>().read() }
}

/// Whether SA_RESETHAND has an effect on this signal: on each.
pub(crate) fn can_be_reset(_signal: libc::c_int) -> bool {
    true
}

/// Whether this thread sent the signal to itself from inside a signal handler on its alternate stack.
pub(crate) fn raised_in_handler(info: &siginfo_t, context: &mut ucontext_t) -> bool {
    // SAFETY: si_pid is set for signals that a process sent, which SI_TKILL says.
    info.si_code == libc::SI_TKILL
        && unsafe { info.si_pid() } as u32 == state::PROCESS_ID.load(Ordering::Relaxed)
        && interrupted_stack::was_on_alternate_stack(context)
}

/// Sets a signal to SIG_DFL or SIG_IGN.
pub(crate) fn set_plain_disposition(signal: libc::c_int, handler: usize) {
    let action = KernelAction { handler, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: the kernel reads `action`; SIG_DFL and SIG_IGN need no restorer.
    unsafe {
        system_call(libc::SYS_rt_sigaction, [signal as usize, core::ptr::from_ref(&action).addr(), 0, SIGSET_SIZE]);
    }
}

/// Sets this thread's signal mask and returns the one before.
pub(crate) fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: the kernel reads one word and writes the other.
    unsafe {
        system_call(
            libc::SYS_rt_sigprocmask,
            [
                libc::SIG_SETMASK as usize,
                core::ptr::from_ref(&mask).addr(),
                core::ptr::from_mut(&mut before).addr(),
                SIGSET_SIZE,
            ],
        );
    }
    before
}

/// Gives a disposition of ours a restorer of ours: see `leave_x86_64`. Nothing happens where another disposition is in
/// place, or ours with other flags: an interposed sigaction may have kept ours to itself.
///
/// After libc's sigaction, which knows no restorer but its own.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set_restorer(signal: libc::c_int, entry: usize) {
    let mut action = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: the kernel writes `action`.
    let read = unsafe {
        system_call(libc::SYS_rt_sigaction, [signal as usize, 0, core::ptr::from_mut(&mut action).addr(), SIGSET_SIZE])
    };
    let nothing_blocked = action.mask == 0 && action.flags & libc::SA_NODEFER as u64 != 0;
    if read == 0 && action.handler == entry && nothing_blocked {
        action.restorer = super::leave_x86_64::restorer();
        // SAFETY: the same disposition, with a restorer that does what every restorer does.
        unsafe {
            system_call(libc::SYS_rt_sigaction, [signal as usize, core::ptr::from_ref(&action).addr(), 0, SIGSET_SIZE]);
        }
    }
}

/// Sends this thread a signal with the information of the one at hand, to arrive when it is no longer blocked.
pub(crate) fn send_again(signal: libc::c_int, info: &libc::siginfo_t) {
    // SAFETY: the kernel reads `info`. It lets a process send anything to itself (do_rt_tgsigqueueinfo).
    unsafe {
        let process = system_call(libc::SYS_getpid, [0; 4]);
        let thread = system_call(libc::SYS_gettid, [0; 4]);
        system_call(
            libc::SYS_rt_tgsigqueueinfo,
            [process as usize, thread as usize, signal as usize, core::ptr::from_ref(info).addr()],
        );
    }
}
