//! The signal by which threads are interrupted. The host has given it to the library: there is nobody else's handler
//! below, and none is called.
//!
//! A signal on every backend. With Mach ports a thread could be suspended and its state be set by its port instead; but
//! in a hardened process that is fatal for a thread that is not in an exception (thread_set_state_allowed,
//! osfmk/kern/thread_act.c), and a thread that is suspended in the kernel has a state that is not its own yet.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

use super::error::{self, Failure, fail};
use super::lock::Locked;
use super::platform;
use super::signals;
use super::threads::list;
use crate::inside::signals::entry;
use crate::shared::abi::*;
use crate::shared::disposition::{self, Disposition, SIGNALS};
use crate::shared::state;
use crate::shared::thread::Thread;

/// What has failed, and its error number.
pub(crate) type Unreached = (&'static str, i32);

/// What was there before, if our handler is in its place.
static BEFORE: Locked<Option<Disposition>> = Locked::new(None);

/// Whether we have installed a handler, which the host may have done instead.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Whether it may be the signal.
pub(crate) fn may_be(signal: libc::c_int) -> bool {
    platform::can_be_caught(signal) && !SIGNALS.contains(&signal)
}

pub(crate) fn current() -> libc::c_int {
    state::INTERRUPT_SIGNAL.load(Ordering::Relaxed)
}

/// What the kernel is to do for it. All other signals are blocked meanwhile, as for the handlers of faults. SA_RESTART:
/// the signal may come while the thread waits in a system call of the host's, which then goes on, as far as it is one
/// that can (signal(7)).
fn ours() -> Disposition {
    Disposition {
        handler: entry::INTERRUPT as usize,
        flags: libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART,
        mask: platform::EVERY_SIGNAL,
        restorer: 0,
    }
}

/// Takes the signal; nothing happens if it is taken already, or 0. With the library's lock held.
pub(crate) fn install(signal: libc::c_int, host_owns_signals: bool) -> Result<(), Failure> {
    if signal == 0 || signal == current() {
        return Ok(());
    }
    if !host_owns_signals {
        let refused = |errno| error::system_under_lock(format_args!("sigaction of signal {signal}"), errno);
        let now = platform::kernel_disposition(signal).map_err(refused)?;
        if now.handler != libc::SIG_DFL && now.handler != libc::SIG_IGN {
            return Err(fail(
                WASMTRAP_ERR_CONFLICT,
                format_args!(
                    "options->interrupt_signal is {signal}, which has a handler already, at {:#x}: it must be one that \
                     nobody else uses",
                    now.handler
                ),
            ));
        }
        platform::tell_disposition(signal, &ours()).map_err(refused)?;
        *BEFORE.lock() = Some(now);
        INSTALLED.store(true, Ordering::SeqCst);
    }
    takes_it_from_now_on(signal);
    Ok(())
}

/// What was on its way before has been thrown away, or has gone to somebody else's handler.
fn takes_it_from_now_on(signal: libc::c_int) {
    list::locked(|threads| {
        threads.each(|thread| thread.signals_sent.store(0, Ordering::SeqCst));
        state::INTERRUPT_SIGNAL.store(signal, Ordering::SeqCst);
    });
}

/// What is there instead of our handler. None if ours is in place, or if there is to be none of ours.
fn in_our_place() -> Result<Option<Disposition>, i32> {
    if !INSTALLED.load(Ordering::SeqCst) {
        return Ok(None);
    }
    let now = platform::kernel_disposition(current())?;
    Ok((now.handler != ours().handler).then_some(now))
}

/// Whether the signal may be sent. Somebody else's handler has no use for it, and the default action ends the process.
fn arrives() -> bool {
    matches!(in_our_place(), Ok(None))
}

/// WASMTRAP_CHECK_INTERRUPT_SIGNAL, or 0.
pub(crate) fn check() -> Result<u32, Failure> {
    match in_our_place() {
        Ok(None) => Ok(0),
        Ok(Some(_)) => Ok(WASMTRAP_CHECK_INTERRUPT_SIGNAL),
        Err(errno) => Err(error::system("sigaction", errno)),
    }
}

/// Puts our handler back; what is found in its place does nothing from then on, and is put back in the end. With the
/// library's lock held.
pub(crate) fn rearm() -> Result<(), Failure> {
    let signal = current();
    let refused = |errno| error::system_under_lock(format_args!("sigaction of signal {signal}"), errno);
    if let Some(found) = in_our_place().map_err(refused)? {
        platform::tell_disposition(signal, &ours()).map_err(refused)?;
        *BEFORE.lock() = Some(found);
        takes_it_from_now_on(signal);
    }
    Ok(())
}

/// A line for the description.
pub(crate) fn describe(out: &mut impl Write) -> fmt::Result {
    let signal = current();
    if signal == 0 {
        return Ok(());
    }
    write!(out, "interrupts: by signal {signal}")?;
    if let Ok(Some(found)) = in_our_place() {
        write!(out, ", displaced by ")?;
        signals::write_handler(out, found.handler)?;
        write!(out, "; none is sent, wasmtrap_rearm puts ours back")?;
    }
    writeln!(out)
}

/// Gives the signal back. With the library's lock held.
pub(crate) fn remove() {
    // With the lock under which it is sent: from here on it is not.
    let signal = list::locked(|_| state::INTERRUPT_SIGNAL.swap(0, Ordering::SeqCst));
    INSTALLED.store(false, Ordering::SeqCst);
    if let Some(before) = BEFORE.lock().take()
        && platform::kernel_disposition(signal).is_ok_and(|now| now.handler == ours().handler)
    {
        // What was sent and has not arrived would end the process under the default action. Ignoring a signal throws
        // away what is pending of it, on all threads (Linux: do_sigaction, kernel/signal.c; XNU: setsigvec,
        // bsd/kern/kern_sig.c).
        let ignored = Disposition { handler: libc::SIG_IGN, ..disposition::DEFAULT };
        let _: Result<(), i32> = platform::tell_disposition(signal, &ignored);
        let _: Result<(), i32> = platform::tell_disposition(signal, &before);
    }
}

/// How many signals are sent to a thread before one comes, where nobody can tell whether they wait there.
const MOST_ON_THEIR_WAY: u32 = 32;

/// Whether one of the signals that were sent to the thread, of which none has come, is still going to come. The host
/// may have taken it off the thread by sigwait or signalfd, have had it ignored for a moment, or stopped it by a
/// debugger. As long as one waits no other one is sent: a thread that does not get to run, or blocks the signal, would
/// fill the queue of real-time signals, which is the whole user's.
fn is_on_its_way(thread: &Thread, signal: libc::c_int, sent: u32) -> bool {
    sent != 0 && {
        let waits = platform::waits_for(thread.kernels_number.load(Ordering::Relaxed), signal);
        waits.unwrap_or(sent >= MOST_ON_THEIR_WAY)
    }
}

/// An interrupt pends for a run of this thread: sends it the signal, if there is one, and one is not on its way. The
/// thread is on the list, whose lock is held.
pub(crate) fn reach(thread: &Thread) -> Result<(), Unreached> {
    let signal = current();
    let sent = thread.signals_sent.load(Ordering::SeqCst);
    if signal == 0 || !arrives() || is_on_its_way(thread, signal, sent) {
        return Ok(());
    }
    // Before it is sent, after which the handler sets it to 0.
    thread.signals_sent.store(sent.saturating_add(1), Ordering::SeqCst);
    // SAFETY: the thread has not ended.
    match unsafe { platform::send_signal(thread.handle, signal) } {
        0 => Ok(()),
        error => {
            thread.signals_sent.store(sent, Ordering::SeqCst);
            Err(("pthread_kill", error))
        }
    }
}

pub(crate) fn lock_for_fork() {
    BEFORE.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread or on the one that it is the image of.
pub(crate) unsafe fn unlock_after_fork() {
    // SAFETY: the caller's promise.
    unsafe { BEFORE.release() };
}
