//! The thread's signal mask: a fault whose signal is blocked is no trap, the kernel kills the process
//! (force_sig_info_to_task, kernel/signal.c). Servers that take their signals by signalfd or sigwait block all of them.
//!
//! So the block of the fault signals that the library takes is lifted while a thread is attached, unless the host says
//! that the mask is its own affair.

use core::sync::atomic::{AtomicBool, Ordering};

use super::alternate_stack;
use crate::outside::error::{self, Failure};
use crate::outside::interrupt_signal;
use crate::outside::signals;
use crate::shared::disposition::SIGNALS;
use crate::shared::state;
use crate::shared::thread::Thread;

/// WASMTRAP_INIT_KEEP_SIGNAL_MASK. Set by wasmtrap_init.
static KEEP: AtomicBool = AtomicBool::new(false);

pub(crate) fn set_keep(keep: bool) {
    KEEP.store(keep, Ordering::Relaxed);
}

pub(super) fn keeps() -> bool {
    KEEP.load(Ordering::Relaxed)
}

/// The signals of `indices`, which are bits by their index in [`SIGNALS`].
fn set_of(indices: u32) -> libc::sigset_t {
    // SAFETY: all-zero memory is good enough for sigemptyset to write into.
    let mut set: libc::sigset_t = unsafe { core::mem::zeroed() };
    // SAFETY: valid for a write.
    unsafe { libc::sigemptyset(&raw mut set) };
    for (index, &signal) in SIGNALS.iter().enumerate() {
        if indices & 1 << index != 0 {
            // SAFETY: valid for a write; the signal is one.
            unsafe { libc::sigaddset(&raw mut set, signal) };
        }
    }
    set
}

/// Those of `indices` that are in a set.
fn indices_in(set: &libc::sigset_t, indices: u32) -> u32 {
    let is_in = |index: usize, signal| {
        // SAFETY: an initialised set; the signal is one.
        indices & 1 << index != 0 && unsafe { libc::sigismember(core::ptr::from_ref(set), signal) } == 1
    };
    SIGNALS
        .iter()
        .enumerate()
        .filter(|&(index, &signal)| is_in(index, signal))
        .fold(0, |all, (index, _)| all | 1 << index)
}

/// The signals that the kinds of fault taken arrive as.
fn taken() -> u32 {
    signals::signals_of(state::ARMED_KINDS.load(Ordering::Relaxed)).fold(0, |all, (index, ..)| all | 1 << index)
}

/// Changes this thread's mask, and returns which of `indices` were blocked before.
fn change(how: libc::c_int, indices: u32) -> Result<u32, Failure> {
    let set = set_of(indices);
    let mut before = set_of(0);
    // SAFETY: both are sets; the second is valid for a write.
    match unsafe { libc::pthread_sigmask(how, &raw const set, &raw mut before) } {
        0 => Ok(indices_in(&before, indices)),
        error => Err(error::system("pthread_sigmask", error)),
    }
}

/// Lifts the block of the fault signals that are taken.
pub(super) fn lift(thread: &Thread) -> Result<(), Failure> {
    if keeps() {
        return Ok(());
    }
    let lifted = change(libc::SIG_UNBLOCK, taken())?;
    thread.lifted.set(thread.lifted.get() | lifted);
    let was_blocked = change_interrupts(libc::SIG_UNBLOCK, interrupt_signal::current())?;
    thread.lifted_interrupts.set(thread.lifted_interrupts.get() | was_blocked);
    Ok(())
}

/// The same for the signal of interrupts, which is not one of [`SIGNALS`]; 0 if there is none. Whether it was blocked.
fn change_interrupts(how: libc::c_int, signal: libc::c_int) -> Result<bool, Failure> {
    if signal == 0 {
        return Ok(false);
    }
    let (mut set, mut before) = (set_of(0), set_of(0));
    // SAFETY: both are sets; they are valid for what is done with them; the signal is one.
    unsafe {
        libc::sigaddset(&raw mut set, signal);
        match libc::pthread_sigmask(how, &raw const set, &raw mut before) {
            0 => Ok(libc::sigismember(&raw const before, signal) == 1),
            error => Err(error::system("pthread_sigmask", error)),
        }
    }
}

/// Blocks again what was blocked before.
pub(super) fn put_back(thread: &Thread) {
    let lifted = alternate_stack::hand_over(thread, thread.lifted.take());
    if lifted != 0 {
        // It has been possible to lift it, so it is possible to put it back.
        let _ = change(libc::SIG_BLOCK, lifted);
    }
    if thread.lifted_interrupts.take() {
        // As above. If the library has given it up meanwhile, it stays unblocked: nobody sends it.
        let _ = change_interrupts(libc::SIG_BLOCK, interrupt_signal::current());
    }
}

/// The fault signals taken that are blocked in this thread now, by their index in [`SIGNALS`].
pub(super) fn blocked() -> Result<u32, Failure> {
    let taken = taken();
    let mut now = set_of(0);
    // SAFETY: reads only, into a set that is valid for a write.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut now) } {
        0 => Ok(indices_in(&now, taken)),
        error => Err(error::system("pthread_sigmask", error)),
    }
}

/// Whether the signal of interrupts is blocked in this thread now.
pub(super) fn blocks_interrupts() -> Result<bool, Failure> {
    let signal = interrupt_signal::current();
    if signal == 0 {
        return Ok(false);
    }
    let mut now = set_of(0);
    // SAFETY: the first reads only, into a set that is valid for a write; the signal is one.
    unsafe {
        match libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut now) {
            0 => Ok(libc::sigismember(&raw const now, signal) == 1),
            error => Err(error::system("pthread_sigmask", error)),
        }
    }
}

/// The kinds of fault (WASMTRAP_FAULT_*) whose signals are blocked in this thread now.
pub(super) fn blocked_kinds() -> Result<u32, Failure> {
    let blocked = blocked()?;
    let is_blocked = |&(index, _): &(usize, &libc::c_int)| blocked & 1 << index != 0;
    let kinds = SIGNALS.iter().enumerate().filter(is_blocked).map(|(_, &signal)| signals::kind_of(signal));
    Ok(kinds.fold(0, |all, kind| all | kind))
}
