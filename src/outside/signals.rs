//! The signal backend's part in ordinary context: going on top of the handlers that are there, noticing when others go
//! on top of ours, and leaving.
//!
//! For each signal there is a stack of the dispositions that were found, the oldest first. Each remembers which of our
//! entry points lies right above it, and which one whoever installed it had found (and so may call, or put back). An
//! entry point that nobody remembers can be used again.

use super::error::{self, Failure, fail};
use super::lock::Locked;
use crate::inside::signals::{entry, kernel};
use crate::shared::abi::*;
use crate::shared::disposition::{self, Disposition, ENTRY_POINTS, SIGNALS};

/// A disposition that lies below one of our entry points.
#[derive(Clone, Copy)]
struct Layer {
    disposition: &'static Disposition,
    /// Our entry point that forwards to it.
    above: usize,
    /// Our entry point that was in place when it was installed over us; none for what was there before us.
    found: Option<usize>,
}

/// The layers of one signal, the oldest first.
#[derive(Clone, Copy)]
struct Layers {
    layers: [Option<Layer>; ENTRY_POINTS],
    depth: usize,
}

static LAYERS: Locked<[Layers; SIGNALS.len()]> =
    Locked::new([Layers { layers: [None; ENTRY_POINTS], depth: 0 }; SIGNALS.len()]);

impl Layers {
    fn iter(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().take(self.depth).flatten()
    }

    fn top(&self) -> Option<Layer> {
        self.layers.get(self.depth.checked_sub(1)?).copied().flatten()
    }

    fn push(&mut self, layer: Layer) {
        if let Some(place) = self.layers.get_mut(self.depth) {
            *place = Some(layer);
            self.depth += 1;
        }
    }

    /// Forgets the layers above the entry point that is in place: who was there has put it back and gone. Returns the
    /// depth of the layer that the entry point forwards to.
    fn cut_above(&mut self, entry: usize) -> usize {
        let index = self.iter().position(|layer| layer.above == entry);
        self.depth = index.map_or(self.depth, |index| index + 1);
        self.depth
    }

    /// Takes out the layer of a handler that has been installed anew, on top of us. The one below it takes its place.
    fn take_out(&mut self, handler: usize, signal: libc::c_int) {
        let Some(index) = self.iter().position(|layer| layer.disposition.handler == handler) else { return };
        let Some(taken) = self.layers.get(index).copied().flatten() else { return };
        let below = index.checked_sub(1).and_then(|below| self.layers.get_mut(below)).and_then(Option::as_mut);
        match below {
            Some(below) => {
                below.above = taken.above;
                disposition::set_below(taken.above, signal, below.disposition);
            }
            // What it had found in its first installation is not known to us.
            None => disposition::set_below(taken.above, signal, &disposition::DEFAULT),
        }
        for next in index..self.depth {
            let moved = self.layers.get(next + 1).copied().flatten();
            if let Some(place) = self.layers.get_mut(next) {
                *place = moved;
            }
        }
        self.depth -= 1;
    }

    /// An entry point that no other handler remembers.
    fn free_entry(&self) -> Option<usize> {
        let in_use = |entry| self.iter().any(|layer| layer.above == entry || layer.found == Some(entry));
        (0..ENTRY_POINTS).find(|&entry| !in_use(entry))
    }
}

/// The signals of these kinds of fault (WASMTRAP_FAULT_*), each with its index and its kind.
pub(crate) fn signals_of(kinds: u32) -> impl Iterator<Item = (usize, libc::c_int, u32)> {
    SIGNALS
        .iter()
        .copied()
        .enumerate()
        .map(|(index, signal)| (index, signal, kind_of(signal)))
        .filter(move |&(_, _, kind)| kind & kinds != 0)
}

pub(crate) fn kind_of(signal: libc::c_int) -> u32 {
    match signal {
        libc::SIGSEGV | libc::SIGBUS => WASMTRAP_FAULT_MEMORY,
        libc::SIGILL => WASMTRAP_FAULT_ILLEGAL,
        libc::SIGFPE => WASMTRAP_FAULT_ARITHMETIC,
        _ => WASMTRAP_FAULT_BREAKPOINT,
    }
}

/// What a signal does now.
fn current(signal: libc::c_int) -> Result<libc::sigaction, Failure> {
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut now: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    match unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut now) } {
        0 => Ok(now),
        _ => Err(error::system("sigaction", error::errno())),
    }
}

fn set(signal: libc::c_int, action: &libc::sigaction) -> Result<(), Failure> {
    // SAFETY: either ours or what sigaction itself told earlier.
    match unsafe { libc::sigaction(signal, action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(error::system("sigaction", error::errno())),
    }
}

/// Which of our entry points this is, if it is one.
fn our_entry(action: &libc::sigaction) -> Option<usize> {
    entry::ALL.iter().position(|&ours| ours as usize == action.sa_sigaction)
}

/// What to install for an entry point that goes on top of `below`.
///
/// All signals are blocked while it runs, because it runs on the alternate stack: a signal that came in between would
/// find the thread there, and a garbage collector that stops threads by signals would take that for the thread's stack
/// and free what the real one holds. Signals that are sent faster than they are delivered would also pile up frames
/// until the alternate stack is full: the kernel delivers what has arrived meanwhile before a handler's first
/// instruction (exit_to_user_mode_loop, kernel/entry/common.c). What waits arrives as soon as the thread is back on its
/// own stack, or in an earlier handler with the mask that this one asked for (`inside::signals::forward`).
///
/// SA_RESTART follows the disposition below: whether a signal that a process sends interrupts a system call is decided
/// by the flags of the handler that is installed, which is ours, for a handler that may rely on it.
fn our_action(entry: usize, below: &Disposition) -> Option<libc::sigaction> {
    let function = *entry::ALL.get(entry)?;
    // SAFETY: all-zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = function as usize;
    action.sa_mask = every_signal();
    let restart = match below.handler {
        libc::SIG_DFL | libc::SIG_IGN => libc::SA_RESTART,
        _ => below.flags & libc::SA_RESTART,
    };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | restart;
    Some(action)
}

/// The set of all signals. sigfillset leaves out those that libc keeps to itself; but pthread_cancel's, which may end a
/// thread wherever it is, must not come while it is in a handler.
fn every_signal() -> libc::sigset_t {
    let mut set = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: a set of signals is bits, all of which may be set; the write covers it.
    unsafe {
        set.as_mut_ptr().write_bytes(0xff, 1);
        set.assume_init()
    }
}

/// A disposition that handlers can look at for ever. The same for the same action, so that putting things on top of
/// each other again and again costs nothing.
fn remember(action: &libc::sigaction) -> Result<&'static Disposition, Failure> {
    /// Every disposition that was ever found: few, since each is a function that somebody installed.
    static KNOWN: Locked<alloc::vec::Vec<&'static Disposition>> = Locked::new(alloc::vec::Vec::new());
    let mask = kernel::mask_of(&action.sa_mask);
    let disposition = Disposition { handler: action.sa_sigaction, flags: action.sa_flags, mask, action: *action };
    let mut known = KNOWN.lock();
    let same = |old: &&&Disposition| {
        (old.handler, old.flags, old.mask) == (disposition.handler, disposition.flags, disposition.mask)
    };
    if let Some(old) = known.iter().find(same) {
        return Ok(old);
    }
    let no_memory = || error::no_memory(format_args!("a signal disposition"));
    known.try_reserve(1).map_err(|_| no_memory())?;
    let place = super::allocation::allocate::<Disposition>().map_err(|_| no_memory())?;
    // SAFETY: fresh memory of the right size and alignment, never freed.
    let remembered = unsafe {
        place.write(disposition);
        &*place.as_ptr()
    };
    // Always so after the reservation; asked, so that the compiler sees it and needs no path to an abort.
    if known.len() < known.capacity() {
        known.push(remembered);
    }
    Ok(remembered)
}

/// Puts our handler on top of what a signal does now; does nothing where it is.
fn go_on_top(signal: libc::c_int, layers: &mut Layers) -> Result<(), Failure> {
    let now = current(signal)?;
    if let Some(entry) = our_entry(&now) {
        layers.cut_above(entry);
        return Ok(());
    }
    let below = remember(&now)?;
    let mut changed = *layers;
    let found = layers.top().map(|top| top.above);
    changed.take_out(below.handler, signal);
    // Whoever is on top remembers what it found, even if nothing of ours lies above that any more.
    let mut reserved = changed;
    reserved.push(Layer { disposition: below, above: ENTRY_POINTS, found });
    let Some(above) = reserved.free_entry() else {
        return Err(fail(
            WASMTRAP_ERR_LIMIT,
            format_args!(
                "signal {signal} has {} handlers one on top of the other, and none of them left",
                layers.depth
            ),
        ));
    };
    let Some(action) = our_action(above, below) else { return Ok(()) };
    changed.push(Layer { disposition: below, above, found });
    // First, because a fault may come as soon as the handler is in place.
    disposition::set_below(above, signal, below);
    set(signal, &action)?;
    *layers = changed;
    Ok(())
}

/// Goes on top for all of these kinds. Where one fails, those that were done are undone.
pub(crate) fn install(kinds: u32) -> Result<(), Failure> {
    let mut all = LAYERS.lock();
    let mut done = 0;
    for (index, signal, kind) in signals_of(kinds) {
        if let Some(layers) = all.get_mut(index)
            && let Err(failure) = go_on_top(signal, layers)
        {
            remove_from(&mut all, done);
            return Err(failure);
        }
        done |= kind;
    }
    Ok(())
}

/// Goes back on top wherever something else is.
pub(crate) fn rearm(kinds: u32) -> Result<(), Failure> {
    let mut all = LAYERS.lock();
    for (index, signal, _) in signals_of(kinds) {
        if let Some(layers) = all.get_mut(index) {
            go_on_top(signal, layers)?;
        }
    }
    Ok(())
}

/// The kinds that something else is on top of.
pub(crate) fn displaced(kinds: u32) -> Result<u32, Failure> {
    let mut found = 0;
    for (_, signal, kind) in signals_of(kinds) {
        if our_entry(&current(signal)?).is_none() {
            found |= kind;
        }
    }
    Ok(found)
}

/// Puts back what was there, wherever ours is on top. Elsewhere ours stays below and goes on forwarding.
pub(crate) fn remove(kinds: u32) {
    remove_from(&mut LAYERS.lock(), kinds);
}

fn remove_from(all: &mut [Layers; SIGNALS.len()], kinds: u32) {
    for (index, signal, _) in signals_of(kinds) {
        let Some(layers) = all.get_mut(index) else { continue };
        let Ok(now) = current(signal) else { continue };
        let Some(entry) = our_entry(&now) else { continue };
        let below = disposition::below(entry, signal);
        // SA_RESETHAND may have reset it since, so it is asked of the table that handlers use.
        if set(signal, &below.action).is_ok() {
            layers.depth = layers.cut_above(entry).saturating_sub(1);
        }
    }
}

/// For the description: each signal of these kinds with what it does now, and what lies below ours.
pub(crate) fn describe_each(
    kinds: u32,
    mut each: impl FnMut(libc::c_int, Result<&libc::sigaction, ()>, Option<&'static Disposition>),
) {
    for (_, signal, _) in signals_of(kinds) {
        match current(signal) {
            Ok(now) => {
                let below = our_entry(&now).map(|entry| disposition::below(entry, signal));
                each(signal, Ok(&now), below);
            }
            Err(_) => each(signal, Err(()), None),
        }
    }
}

pub(crate) fn lock_for_fork() {
    LAYERS.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread or on the one that it is the image of.
pub(crate) unsafe fn unlock_after_fork() {
    // SAFETY: the caller's promise.
    unsafe { LAYERS.release() };
}
