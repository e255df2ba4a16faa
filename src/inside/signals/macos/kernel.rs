//! The system calls of the forwarding path. macOS has no stable numbers for them, so they are libSystem's functions,
//! all of which POSIX lets a handler call. errno belongs to the code that was interrupted and is put back.

use libc::{siginfo_t, ucontext_t};

use super::classify::Origin;
use super::interrupted_stack;

/// Runs `f` and puts errno back.
fn keeping_errno<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: points to this thread's errno.
    let errno = unsafe { libc::__error() };
    // SAFETY: as above; the place stays the same.
    let before = unsafe { *errno };
    let result = f();
    // SAFETY: as above.
    unsafe { *errno = before };
    result
}

/// A set of signals as a number: signal n is bit n - 1.
pub(crate) fn mask_of(set: &libc::sigset_t) -> u64 {
    u64::from(*set)
}

/// Whether SA_RESETHAND has an effect on this signal: on all but SIGILL and SIGTRAP (postsig_locked,
/// bsd/kern/kern_sig.c).
pub(crate) fn can_be_reset(signal: libc::c_int) -> bool {
    signal != libc::SIGILL && signal != libc::SIGTRAP
}

/// Whether this thread sent the signal to itself from inside a signal handler on its alternate stack. Nothing says who
/// sent it; but it comes with the return from a system call.
pub(crate) fn raised_in_handler(_info: &siginfo_t, context: &mut ucontext_t) -> bool {
    interrupted_stack::was_on_alternate_stack(context)
        && super::context::Context::new(context).origin() == Origin::SystemCall
}

/// Sets a signal to SIG_DFL or SIG_IGN.
pub(crate) fn set_plain_disposition(signal: libc::c_int, handler: usize) {
    let action = libc::sigaction { sa_sigaction: handler, sa_mask: 0, sa_flags: 0 };
    keeping_errno(|| {
        // SAFETY: reads `action`.
        unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) }
    });
}

/// Sets this thread's signal mask and returns the one before.
pub(crate) fn set_mask(mask: u64) -> u64 {
    let mask = mask as libc::sigset_t;
    let mut before = 0;
    keeping_errno(|| {
        // SAFETY: reads one word and writes the other.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, &raw mut before) }
    });
    u64::from(before)
}

/// Sends this thread a signal, to arrive when it is no longer blocked. Its information is lost, of which XNU keeps
/// none.
pub(crate) fn send_again(signal: libc::c_int, _info: &siginfo_t) {
    keeping_errno(|| {
        // SAFETY: this thread exists.
        unsafe { libc::pthread_kill(libc::pthread_self(), signal) }
    });
}
