//! The protected calls that a thread is in, by the addresses of their activations, the outermost first.
//!
//! They are written down here and not only in their frames: longjmp may leave a call without the library hearing of
//! it, and its frame, with the way to the next call out, is then overwritten. Calls that are known to have been left
//! are taken off the end of the list at the thread's next entry, and passed over by whoever looks for one to land in.
//!
//! `wasmtrap_call` changes the list in assembly: it makes `depth` one higher before it builds its frame, which is what
//! a shutdown looks at, and writes its entry when the frame is sealed. So an entry can be 0, a call that is about to be
//! entered, and the entries from `depth` on are 0.
//!
//! Only the thread itself changes the list. Handlers on it read it, and so does the Mach server while the thread waits
//! in the kernel. Other threads look at it under the lock of the list of threads, which the thread holds while it moves
//! the entries to another place.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::activation::Activation;

/// The entry below the first: no call, and further out than any.
pub(crate) const BOTTOM: usize = usize::MAX;

/// How many entries there is room for at first.
pub(crate) const FIRST_CAPACITY: usize = 15;

/// The list.
pub(crate) struct Calls {
    /// How many entries there are.
    pub(crate) depth: AtomicUsize,
    /// How many there is room for.
    pub(crate) capacity: AtomicUsize,
    /// The first entry. `BOTTOM` lies before it.
    pub(crate) entries: AtomicPtr<AtomicUsize>,
    /// Where the entries are as long as they fit.
    pub(crate) first: [AtomicUsize; FIRST_CAPACITY + 1],
}

impl Calls {
    pub(crate) const fn new() -> Self {
        Self {
            depth: AtomicUsize::new(0),
            capacity: AtomicUsize::new(0),
            entries: AtomicPtr::new(core::ptr::null_mut()),
            first: [const { AtomicUsize::new(0) }; FIRST_CAPACITY + 1],
        }
    }

    /// Puts the list into use, where it is going to stay.
    ///
    /// # Safety
    /// `list` is valid, and does not move from now on. Nobody uses it yet.
    pub(crate) unsafe fn settle(list: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe {
            let first = (&raw mut (*list).first).cast::<AtomicUsize>();
            (*first).store(BOTTOM, Ordering::Relaxed);
            (*list).entries.store(first.add(1), Ordering::Relaxed);
            (*list).capacity.store(FIRST_CAPACITY, Ordering::Relaxed);
        }
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// An entry, whose index is below `depth`.
    fn entry(&self, index: usize) -> &AtomicUsize {
        // SAFETY: there is room for `depth` entries.
        unsafe { &*self.entries.load(Ordering::Relaxed).add(index) }
    }

    /// The call with that index, which is below `depth`; null if it is only about to be entered.
    pub(crate) fn get(&self, index: usize) -> *mut Activation {
        // Acquire, for other threads: what is sealed is seen with its seal.
        core::ptr::with_exposed_provenance_mut(self.entry(index).load(Ordering::Acquire))
    }

    /// The innermost call, which may have been left; null if there is none.
    pub(crate) fn innermost(&self) -> *mut Activation {
        match self.depth() {
            0 => core::ptr::null_mut(),
            depth => self.get(depth - 1),
        }
    }

    /// The index of a call.
    pub(crate) fn find(&self, activation: *const Activation) -> Option<usize> {
        (0..self.depth()).rev().find(|&index| core::ptr::eq(self.get(index), activation))
    }

    /// Sets an entry whose index is below the capacity.
    pub(crate) fn set(&self, index: usize, activation: *mut Activation) {
        self.entry(index).store(activation.expose_provenance(), Ordering::Release);
    }

    pub(crate) fn set_depth(&self, depth: usize) {
        self.depth.store(depth, Ordering::Release);
    }

    /// Forgets all calls but the `depth` outermost.
    pub(crate) fn cut(&self, depth: usize) {
        let before = self.depth();
        self.set_depth(depth);
        // After that: a signal handler of the host's that makes calls of its own, and comes in between, leaves a 0 too.
        for index in depth..before {
            self.entry(index).store(0, Ordering::Relaxed);
        }
    }

    /// Forgets one call.
    pub(crate) fn remove(&self, index: usize) {
        let depth = self.depth();
        for next in index + 1..depth {
            self.set(next - 1, self.get(next));
        }
        self.cut(depth - 1);
    }
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
