//! Signal dispositions that the library found, and which of its entry points forwards to which.

use core::sync::atomic::{AtomicPtr, Ordering};

use super::abi::WASMTRAP_MAX_ADOPTED;

/// The signals that a fault can arrive as, in the order of the tables below.
pub(crate) const SIGNALS: [libc::c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

/// How many entry points there are, and so how many handlers can be below the library in turn.
///
/// One entry point is not enough: a handler that was installed over ours remembers ours, and calls it, or puts it back
/// and raises the signal again. When ours has since been put on top of that handler, the fault would go in circles. So
/// each time ours goes on top of something new it does so as another function, and the one that the other handler
/// remembers goes on forwarding to what was below it then.
pub(crate) const ENTRY_POINTS: usize = 8;

/// How many further ones stand in for what an adopted engine has found (`shared::adopted`). They come after the others.
pub(crate) const STAND_INS: usize = WASMTRAP_MAX_ADOPTED;

/// What the kernel does for a signal. Never changed or freed once published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Disposition {
    /// SIG_DFL, SIG_IGN or the address of a function.
    pub(crate) handler: usize,
    pub(crate) flags: libc::c_int,
    /// The kernel's form of sa_mask: signal n is bit n - 1.
    pub(crate) mask: u64,
    /// Where a handler returns to, if the disposition says so (Linux on x86-64).
    pub(crate) restorer: usize,
}

/// The default action. Also what SA_RESETHAND leaves behind.
pub(crate) static DEFAULT: Disposition = Disposition { handler: libc::SIG_DFL, flags: 0, mask: 0, restorer: 0 };

/// `FORWARD_TO[entry][signal]`: what lies below that entry point. Null until it was ever used.
static FORWARD_TO: [[AtomicPtr<Disposition>; SIGNALS.len()]; ENTRY_POINTS + STAND_INS] =
    [const { [const { AtomicPtr::new(core::ptr::null_mut()) }; SIGNALS.len()] }; ENTRY_POINTS + STAND_INS];

/// A signal's place in the tables.
pub(crate) fn index_of(signal: libc::c_int) -> Option<usize> {
    SIGNALS.iter().position(|&known| known == signal)
}

fn slot(entry: usize, signal: libc::c_int) -> Option<&'static AtomicPtr<Disposition>> {
    FORWARD_TO.get(entry)?.get(index_of(signal)?)
}

/// What lies below `entry`; the default action if nothing was ever put there.
pub(crate) fn below(entry: usize, signal: libc::c_int) -> &'static Disposition {
    let found = slot(entry, signal).map_or(core::ptr::null_mut(), |slot| slot.load(Ordering::Acquire));
    // SAFETY: null or a disposition that is never freed.
    unsafe { found.as_ref() }.unwrap_or(&DEFAULT)
}

/// Makes `entry` forward to `disposition` from now on.
pub(crate) fn set_below(entry: usize, signal: libc::c_int, disposition: &'static Disposition) {
    if let Some(slot) = slot(entry, signal) {
        slot.store(core::ptr::from_ref(disposition).cast_mut(), Ordering::Release);
    }
}

/// What our handler is installed with, by the index of `SIGNALS`, for whoever finds that an engine's handler has taken
/// it away; null before the first adoption.
pub(crate) static OURS: [AtomicPtr<Disposition>; SIGNALS.len()] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; SIGNALS.len()];
