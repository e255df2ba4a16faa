//! The system calls of the forwarding path. macOS has no stable numbers for them, so they are libSystem's functions,
//! all of which POSIX lets a handler call. errno belongs to the code that was interrupted and is put back.

use libc::{siginfo_t, ucontext_t};

use super::classify::Origin;
use super::earlier_handler;
use crate::shared::disposition::Disposition;
use crate::shared::thread::StackBounds;

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

/// Has a set be that of all signals, and returns what it was.
pub(crate) fn block_all(set: &mut libc::sigset_t) -> u64 {
    u64::from(core::mem::replace(set, libc::sigset_t::MAX))
}

/// Whether SA_RESETHAND has an effect on this signal: on all but SIGILL and SIGTRAP (postsig_locked,
/// bsd/kern/kern_sig.c).
pub(crate) fn can_be_reset(signal: libc::c_int) -> bool {
    signal != libc::SIGILL && signal != libc::SIGTRAP
}

/// Whether this thread sent the signal to itself from inside a signal handler on its alternate stack. Nothing says who
/// sent it; but it comes with the return from a system call.
pub(crate) fn raised_in_handler(_info: &siginfo_t, context: &mut ucontext_t) -> bool {
    earlier_handler::was_on_alternate_stack(context)
        && super::context::Context::new(context, 0, 0).origin() == Origin::SystemCall
}

/// Whether a signal's information is of this signal.
pub(crate) fn is_of(info: &siginfo_t, signal: libc::c_int) -> bool {
    info.si_signo == signal
}

/// There are no containers.
pub(crate) fn is_init() -> bool {
    false
}

/// The kernel has refused a system call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused;

/// What a function of libSystem's says that returns 0 or an error.
fn accepted(f: impl FnOnce() -> libc::c_int) -> Result<(), Refused> {
    if keeping_errno(f) == 0 { Ok(()) } else { Err(Refused) }
}

/// The handler of a signal now.
pub(crate) fn handler_of(signal: libc::c_int) -> Option<usize> {
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut now: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    accepted(|| unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut now) }).ok()?;
    Some(now.sa_sigaction)
}

/// Puts a disposition in place that the kernel has told of, and returns what was there.
pub(crate) fn put_in_place(signal: libc::c_int, wanted: &Disposition) -> Result<Disposition, Refused> {
    let &Disposition { handler, flags, mask, .. } = wanted;
    let action = libc::sigaction { sa_sigaction: handler, sa_mask: mask as libc::sigset_t, sa_flags: flags };
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut before: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: reads the one and writes the other.
    accepted(|| unsafe { libc::sigaction(signal, &raw const action, &raw mut before) })?;
    let (flags, mask) = (before.sa_flags, u64::from(before.sa_mask));
    Ok(Disposition { handler: before.sa_sigaction, flags, mask, restorer: 0 })
}

/// Sets a signal to SIG_DFL or SIG_IGN.
pub(crate) fn set_plain_disposition(signal: libc::c_int, handler: usize) -> Result<(), Refused> {
    let action = libc::sigaction { sa_sigaction: handler, sa_mask: 0, sa_flags: 0 };
    // SAFETY: reads `action`.
    accepted(|| unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) })
}

/// Sets this thread's signal mask and returns the one before.
pub(crate) fn set_mask(mask: u64) -> Result<u64, Refused> {
    let mask = mask as libc::sigset_t;
    let mut before = 0;
    // SAFETY: reads one word and writes the other.
    accepted(|| unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, &raw mut before) })?;
    Ok(u64::from(before))
}

/// Runs `f` with this signal mask. Where the kernel refuses to set it, `f` runs with the mask as it is, which blocks no
/// less if the kernel called us.
pub(crate) fn with_mask(mask: u64, f: impl FnOnce()) {
    let before = set_mask(mask);
    f();
    if let Ok(before) = before {
        // What was allowed a moment ago is now. If not, sigreturn puts the mask back at the end of the outermost
        // handler.
        let _: Result<u64, Refused> = set_mask(before);
    }
}

/// Blocks a signal until the handler returns.
pub(crate) fn block(signal: libc::c_int) -> Result<(), Refused> {
    let set = 1 << (signal - 1);
    // SAFETY: reads one word.
    accepted(|| unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut()) })
}

/// There is no way without a system call: XNU keeps a fault whose signal is blocked, and runs its instruction again.
pub(crate) fn let_the_fault_end_the_process(_signal: libc::c_int, _context: &mut ucontext_t) -> Result<(), Refused> {
    Err(Refused)
}

/// Whether memory can be read. The kernel copies a set of signals before it looks at what to do with it (sigprocmask,
/// bsd/kern/kern_sig.c: EFAULT, else EINVAL for an unknown `how`).
#[inline(never)] // rare, and system calls stay in one place
pub(crate) fn can_read(address: usize, length: usize) -> bool {
    const NO_HOW: libc::c_int = 9;
    let last = address + length - size_of::<libc::sigset_t>();
    // The frame of a call is smaller than a page: its first and its last words tell.
    [address, last].into_iter().all(|word| {
        keeping_errno(|| {
            let set = core::ptr::with_exposed_provenance::<libc::sigset_t>(word);
            // SAFETY: the kernel looks at the memory and changes nothing.
            let refused = unsafe { libc::sigprocmask(NO_HOW, set, core::ptr::null_mut()) } != 0;
            // SAFETY: points to this thread's errno.
            !(refused && unsafe { *libc::__error() } == libc::EFAULT)
        })
    })
}

/// Sends this thread a signal, to arrive when it is no longer blocked. Its information is lost, of which XNU keeps
/// none.
pub(crate) fn send_again(signal: libc::c_int, _info: &siginfo_t) -> Result<(), Refused> {
    // SAFETY: this thread exists.
    accepted(|| unsafe { libc::pthread_kill(libc::pthread_self(), signal) })
}

/// The lowest byte of a stack that is mapped while code further in than that runs on it.
pub(crate) fn lowest_mapped(stack: &StackBounds) -> usize {
    stack.low
}
