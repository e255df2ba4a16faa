//! Traps between the handler that saw them and the protected calls that hand them out.
//!
//! A handler writes the record of a trap; the call in which the trap lands hands it out. Signals that waited for the
//! handler's end are delivered in between, at the landing, and their handlers may make protected calls that trap in
//! turn. So there are several records, each with its owner: the call in which its trap lands.
//!
//! A record whose call was left at the landing, by a jump out of such a signal handler, is free again when the call is
//! seen to be over.
//!
//! Such handlers may nest deeper than there are records. The last one is taken only by a thread that goes on with all
//! signals blocked, until the record has been read, so that nobody needs another one meanwhile: a depth without limit,
//! at the price of a system call for each trap that deep. Where a thread's mask cannot be set (a Mach exception is
//! answered by another thread) the last one is not taken, and the fault is not made a trap: it goes on to the next
//! level, where it becomes a signal, whose handler has records of its own and sets the mask.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

use super::abi::{WASMTRAP_MAX_FRAMES, wasmtrap_trap_t};
use super::activation::Activation;
use crate::inside::land;

/// How many records a thread has.
const RECORDS: usize = 4;

/// The one that is taken with signals blocked.
const LAST: usize = RECORDS - 1;

/// A record, and its frames.
pub(crate) struct PendingTrap {
    pub(crate) record: wasmtrap_trap_t,
    pub(crate) frames: [usize; WASMTRAP_MAX_FRAMES],
}

/// The records of a thread by one maker of traps (`land::Maker`). Only the thread itself uses them, and handlers on it;
/// or, while the thread waits in the kernel, the maker.
pub(crate) struct PendingTraps {
    /// The addresses of the activations that the records are for; 0 for a record that is free.
    owners: [AtomicUsize; RECORDS],
    /// The signal mask to be put back when the last one has been read.
    mask: Cell<u64>,
    /// Written by [`settle`](Self::settle).
    traps: [UnsafeCell<MaybeUninit<PendingTrap>>; RECORDS],
}

/// What was read of a record.
pub(crate) struct Read {
    pub(crate) record: wasmtrap_trap_t,
    /// As many as the record says.
    pub(crate) frames: MaybeUninit<[usize; WASMTRAP_MAX_FRAMES]>,
    /// The signal mask to be put back.
    pub(crate) mask: Option<u64>,
}

impl Read {
    /// Of nothing.
    pub(crate) const NOTHING: Self = Self { record: land::EMPTY, frames: MaybeUninit::uninit(), mask: None };
}

impl PendingTraps {
    pub(crate) const fn new() -> Self {
        Self {
            owners: [const { AtomicUsize::new(0) }; RECORDS],
            mask: Cell::new(0),
            traps: [const { UnsafeCell::new(MaybeUninit::uninit()) }; RECORDS],
        }
    }

    /// Puts the records into use, where they are going to stay: the stack of a thread that is being attached may have
    /// no room for them.
    ///
    /// # Safety
    /// `traps` is valid, and nobody uses it yet.
    pub(crate) unsafe fn settle(traps: *mut Self) {
        // SAFETY: the caller's promise.
        for trap in unsafe { &mut (*traps).traps } {
            let place = trap.get_mut().as_mut_ptr();
            // SAFETY: as above. Zeros are numbers like others.
            unsafe {
                (&raw mut (*place).record).write(land::EMPTY);
                (&raw mut (*place).frames).write_bytes(0, 1);
            }
        }
    }

    fn find(&self, owner: usize) -> Option<usize> {
        self.owners.iter().position(|place| place.load(Ordering::Relaxed) == owner)
    }

    /// A record for a trap that lands in `activation`: the one that it has, should a signal handler at its landing trap
    /// in it again, as there is only the newer trap then; or one that is free. `is_over` tells it of an activation.
    /// `block_signals` has the thread go on with all signals blocked, and returns the mask before; `None` if it cannot.
    #[inline(always)]
    pub(crate) fn take(
        &self,
        activation: *const Activation,
        is_over: impl Fn(*const Activation) -> bool,
        block_signals: impl FnOnce() -> Option<u64>,
    ) -> Option<*mut PendingTrap> {
        let owner = activation.addr();
        let index = match self.find(owner).or_else(|| self.find(0)) {
            Some(index) if index < LAST => index,
            _ => self.take_late(is_over, block_signals)?,
        };
        // Written before the record is: a signal may come here, where the thread runs the embedder's fault handler for
        // the Mach server.
        self.owners.get(index)?.store(owner, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.traps.get(index).map(|trap| trap.get().cast())
    }

    /// All but the last are taken.
    #[cold]
    #[inline(never)]
    fn take_late(
        &self,
        is_over: impl Fn(*const Activation) -> bool,
        block_signals: impl FnOnce() -> Option<u64>,
    ) -> Option<usize> {
        let is_free = |place: &AtomicUsize| is_over(core::ptr::with_exposed_provenance(place.load(Ordering::Relaxed)));
        let free = self.owners.iter().take(LAST).position(is_free);
        if free.is_some() {
            return free;
        }
        // Whoever had it has read it: nothing could come in between. Or, where the mask was not kept (by a handler of
        // the host's that our own was called by), it was left.
        self.mask.set(block_signals()?);
        Some(LAST)
    }

    /// The stack pointer at the fault that the record of `activation` is about; 0 if there is none.
    pub(crate) fn stack_pointer(&self, activation: *const Activation) -> usize {
        let place = self.find(activation.addr()).and_then(|index| self.traps.get(index));
        // SAFETY: as in `read`.
        place.map_or(0, |trap| unsafe { (*trap.get().cast::<PendingTrap>()).record.sp })
    }

    /// Reads the record of `activation`, and gives it free. A copy, because the call is taken off its thread's chain,
    /// and the record handed out, only then: what the embedder's memory makes of that may be a trap of its own, and a
    /// signal may come at each step.
    ///
    /// There is none, and `read` stays as it is, if the thread is another one by now: a signal handler at the landing
    /// has switched stacks, and the call goes on elsewhere. That it has trapped is all that is known.
    #[inline(always)]
    pub(crate) fn read(&self, activation: *const Activation, read: &mut Read) {
        let found = self.find(activation.addr());
        let place = found.and_then(|index| self.owners.get(index).zip(self.traps.get(index)));
        let Some((owner, trap)) = place else { return };
        // SAFETY: this thread's; a handler that interrupts this writes to the records of others.
        let trap = unsafe { &*trap.get().cast::<PendingTrap>() };
        read.record = trap.record;
        let count = trap.record.frame_count.min(WASMTRAP_MAX_FRAMES);
        // SAFETY: both have room for that many.
        unsafe {
            core::ptr::copy_nonoverlapping(trap.frames.as_ptr(), read.frames.as_mut_ptr().cast::<usize>(), count);
        }
        if found == Some(LAST) {
            read.mask = Some(self.mask.get());
        }
        compiler_fence(Ordering::SeqCst);
        owner.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
