//! What is not ours goes where it would have gone without us.
//!
//! The model is the kernel: what it would have done for the disposition that lies below this entry point (its mask,
//! SA_NODEFER, SA_RESETHAND, its stack) is what happens here.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::interrupted_stack::{self, Outcome};
use super::{classify, kernel};
use crate::arch;
use crate::shared::disposition::{self, Disposition};
use crate::shared::state;

/// How a handler was entered: what only assembly sees.
#[derive(Clone, Copy)]
pub(super) struct Entrance {
    /// Stack pointer at the entry point's first instruction.
    pub(super) sp: usize,
    /// The link register there; 0 on x86-64, where it is on the stack.
    pub(super) link: usize,
    /// Which entry point.
    pub(super) entry: usize,
}

type OneArgument = extern "C" fn(libc::c_int, *mut siginfo_t, *mut ucontext_t);

/// Hands the signal to what lies below.
///
/// # Safety
/// The arguments are what the kernel, or a handler that the kernel called, gave to the entry point.
pub(super) unsafe fn forward(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t, entrance: Entrance) {
    let below = disposition::below(entrance.entry, signal);
    match below.handler {
        libc::SIG_DFL => default_action(signal, info, context),
        libc::SIG_IGN => ignore(signal, info),
        // SAFETY: the caller's promise.
        _ => unsafe { call(below, signal, info, context, entrance) },
    }
}

/// The default action, which for all of our signals is to end the process with a core dump.
fn default_action(signal: libc::c_int, info: &siginfo_t, context: &ucontext_t) {
    if raised_inside_a_handler(info, context) {
        return;
    }
    kernel::set_plain_disposition(signal, libc::SIG_DFL);
    // A fault happens again where it happened, so that the core dump shows the place. Anything else has to be sent
    // again; it is blocked until this handler returns, so that it too arrives at the place where it interrupted.
    if !classify::comes_again(signal, info.si_code) {
        kernel::send_again(signal, info);
    }
}

/// Whether this is a signal that a handler of a fault raised, on this thread, while it was handling that fault.
///
/// CPython's faulthandler, where it was installed over us, puts us back and calls raise() from inside its handler. Its
/// fault is still to come: when it returns, the instruction runs again, and what it does then is what counts. Ending
/// the process here would turn a trap into a crash, and would show the wrong place in the core dump of a crash.
///
/// Only for a thread inside a protected call, which runs the handler of a fault on its alternate stack.
fn raised_inside_a_handler(info: &siginfo_t, context: &ucontext_t) -> bool {
    // SAFETY: reads the thread's own word; null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    // SAFETY: si_pid is set for signals that a process sent, which SI_TKILL says.
    let by_itself =
        info.si_code == libc::SI_TKILL && unsafe { info.si_pid() } as u32 == state::PROCESS_ID.load(Ordering::Relaxed);
    by_itself && !thread.chain.load(Ordering::Relaxed).is_null() && interrupted_stack::was_on_alternate_stack(context)
}

/// SIG_IGN: for a fault the kernel would have set the default action and killed the process (force_sig_info_to_task,
/// kernel/signal.c), which it does when the fault happens again; anything else is ignored.
fn ignore(signal: libc::c_int, info: &siginfo_t) {
    if classify::comes_again(signal, info.si_code) {
        kernel::set_plain_disposition(signal, libc::SIG_IGN);
    } else if info.si_code > 0 {
        kernel::set_plain_disposition(signal, libc::SIG_DFL);
        kernel::send_again(signal, info);
    }
}

/// Calls an earlier handler as the kernel would.
unsafe fn call(
    below: &'static Disposition,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) {
    if below.flags & libc::SA_RESETHAND != 0 {
        disposition::set_below(entrance.entry, signal, &disposition::DEFAULT);
    }
    let mut mask = interrupted_mask(context) | below.mask;
    if below.flags & libc::SA_NODEFER == 0 {
        mask |= 1 << (signal - 1);
    }
    let mask_here = kernel::set_mask(mask);
    if below.flags & libc::SA_ONSTACK == 0 {
        // SAFETY: the caller's promise.
        match unsafe { interrupted_stack::call(below, signal, info, context, entrance) } {
            Outcome::CallHere => (),
            // The kernel, too, gives up on a handler whose frame does not fit (force_sigsegv, kernel/signal.c).
            Outcome::NoRoom => return default_action(signal, info, context),
        }
    }
    // SAFETY: a handler's address, as sigaction gave it. One that takes one argument ignores the other two, which the
    // kernel passes as well.
    let handler = unsafe { core::mem::transmute::<usize, OneArgument>(below.handler) };
    handler(signal, info, context);
    // Only matters where another handler called us; otherwise the context's mask is about to be restored.
    kernel::set_mask(mask_here);
}

/// The mask to which the interrupted code returns, in the kernel's form.
fn interrupted_mask(context: &ucontext_t) -> u64 {
    let mask = core::ptr::from_ref(&context.uc_sigmask).cast::<u64>();
    // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
    unsafe { mask.read() }
}
