//! What is not ours goes where it would have gone without us.
//!
//! The model is the kernel: what it would have done for the disposition that lies below this entry point (its mask,
//! SA_NODEFER, SA_RESETHAND, its stack) is what happens here.

use libc::{siginfo_t, ucontext_t};

use super::classify::{self, Reading};
use super::context::Context;
use super::{earlier_handler, kernel};
use crate::arch;
use crate::inside::lookup;
use crate::shared::disposition::{self, Disposition};

/// How a handler was entered: what only assembly sees.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "only where the kernel's frame can be moved is it looked for")]
pub(crate) struct Entrance {
    /// Stack pointer at the entry point's first instruction.
    pub(crate) sp: usize,
    /// The link register there.
    #[cfg(target_arch = "aarch64")]
    pub(crate) link: usize,
    /// The frame pointer there.
    #[cfg(target_arch = "aarch64")]
    pub(crate) fp: usize,
    /// Which entry point.
    pub(crate) entry: usize,
}

/// An earlier handler, or an adopted engine's. One that takes one argument ignores the other two, which the kernel
/// passes as well.
pub(crate) type Handler = extern "C" fn(libc::c_int, *mut siginfo_t, *mut ucontext_t);

/// There is no room for a handler on the stack on which it expects to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// Hands the signal to what lies below.
///
/// # Safety
/// The arguments are what the kernel, or a handler that the kernel called, gave to the entry point.
pub(super) unsafe fn forward(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t, entrance: Entrance) {
    let below = disposition::below(entrance.entry, signal);
    match below.handler {
        libc::SIG_DFL => default_action(signal, info, context),
        libc::SIG_IGN => ignore(signal, info, context),
        // SAFETY: the caller's promise.
        _ => unsafe { call(below, signal, info, context, entrance) },
    }
}

pub(super) fn read(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) -> Reading {
    classify::classify(signal, info.si_code, Context::new(context, signal, info.si_code).origin())
}

/// The default action, which for all of our signals is to end the process with a core dump.
fn default_action(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) {
    if raised_inside_a_handler(signal, info, context) {
        return;
    }
    let reading = read(signal, info, context);
    // A fault happens again where it happened, so that the core dump shows the place. Anything else has to be sent
    // again.
    let comes_again = classify::comes_again(signal, info.si_code, &reading);
    if kernel::is_init() && !comes_again {
        // What is sent to the first process of a container, and not handled, is ignored by the kernel (sig_task_ignored
        // and get_signal, kernel/signal.c): the default action would not end it, and leave no handler for traps. What
        // the kernel itself forces ends that one too.
        if reading.from_kernel {
            arch::die_of(signal);
        }
        return;
    }
    set_disposition(signal, libc::SIG_DFL, comes_again, info, context);
}

/// Has `handler`, SIG_DFL or SIG_IGN, decide about the signal: again when the fault happens again, or sent once more.
fn set_disposition(signal: libc::c_int, handler: usize, comes_again: bool, info: &siginfo_t, context: &mut ucontext_t) {
    let set = kernel::set_plain_disposition(signal, handler);
    if comes_again {
        if set.or_else(|_| kernel::let_the_fault_end_the_process(signal, context)).is_err() {
            arch::die_of(signal);
        }
        return;
    }
    // Blocked until this handler returns, so that it arrives at the place where it interrupted. Where that is refused,
    // it arrives here.
    let _: Result<(), kernel::Refused> = kernel::block(signal);
    if set.and_then(|()| kernel::send_again(signal, info)).is_err() {
        // It must not be as if nothing had happened, nor go on for ever.
        arch::die_of(signal);
    }
}

/// Whether this is a signal that a handler of a fault raised, on this thread, while it was handling that fault.
///
/// CPython's faulthandler, where it was installed over us, puts us back and calls raise() from inside its handler. Its
/// fault is still to come: when it returns, the instruction runs again, and what it does then is what counts. Ending
/// the process here would turn a trap into a crash.
///
/// No other signal that a process sends is swallowed: the frame that the kernel made when the thread came to its
/// alternate stack says which signal the outermost handler there is for, and that it was a fault that comes again. (A
/// handler of another signal that has interrupted the one of the fault is not told apart from it.) Only for a thread
/// inside a protected call.
fn raised_inside_a_handler(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) -> bool {
    // SAFETY: reads the thread's own word; null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    if thread.calls.depth() == 0 || !kernel::raised_in_handler(info, context) {
        return false;
    }
    // SAFETY: the frame is that of a handler that has not returned.
    match unsafe { earlier_handler::outermost_frame(context) } {
        Some((info, context)) if kernel::is_of(info, signal) => {
            let outer = read(signal, info, context);
            classify::comes_again(signal, info.si_code, &outer)
        }
        // faulthandler's handler is one without SA_SIGINFO, for which the kernel leaves that part of its frame as it
        // was (x64_setup_rt_frame, arch/x86/kernel/signal_64.c; setup_rt_frame, arch/arm64/kernel/signal.c): zeros on a
        // fresh stack. All that is known then is where the thread was, and nobody raises signals in registered code.
        Some((info, context)) => info.si_signo == 0 && lookup::is_in_code(Context::new(context, 0, 0).pc()),
        None => earlier_handler::FRAMES_ARE_UNKNOWN,
    }
}

/// SIG_IGN: what is not a fault is ignored. A fault happens again, and then the kernel does what it does with one that
/// is ignored: Linux sets the default action and ends the process (force_sig_info_to_task, kernel/signal.c); XNU drops
/// the signal, and the fault happens for ever (threadsignal, bsd/kern/kern_sig.c).
fn ignore(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) {
    let reading = read(signal, info, context);
    if classify::comes_again(signal, info.si_code, &reading) {
        set_disposition(signal, libc::SIG_IGN, true, info, context);
    } else if reading.from_kernel {
        set_disposition(signal, libc::SIG_DFL, false, info, context);
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
    if below.flags & libc::SA_RESETHAND != 0 && kernel::can_be_reset(signal) {
        disposition::set_below(entrance.entry, signal, &disposition::DEFAULT);
    }
    let mut mask = kernel::mask_of(&context.uc_sigmask) | below.mask;
    if below.flags & libc::SA_NODEFER == 0 {
        mask |= 1 << (signal - 1);
    }
    // SAFETY: a handler's address, as sigaction gave it.
    let handler = unsafe { core::mem::transmute::<usize, Handler>(below.handler) };
    let on_alternate_stack = below.flags & libc::SA_ONSTACK != 0;
    // SAFETY: the caller's promise.
    if unsafe { earlier_handler::call(handler, mask, on_alternate_stack, signal, info, context, entrance) }.is_err() {
        // The kernel, too, gives up on a handler whose frame does not fit (Linux: force_sigsegv, kernel/signal.c; XNU:
        // sendsig, bsd/dev/*/unix_signal.c).
        default_action(signal, info, context);
    }
}
