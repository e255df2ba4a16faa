//! Adopted engines: the handlers that an engine has installed, and that the library calls from then on.
//!
//! Each adoption has a place here. Where handlers replace one another it has, of the same number, an entry point
//! (`disposition::STAND_INS`) that stands in for what was there before the engine: the engine takes it for its earlier
//! handler.

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::abi::*;
use super::disposition::{Disposition, SIGNALS};

/// Nobody remembers the place's stand-in.
pub(crate) const FREE: u32 = 0;
/// Its stand-in is in place, for an engine that is about to install its handlers.
pub(crate) const BEGUN: u32 = 1;
/// The engine's handlers are called by the library.
pub(crate) const ADOPTED: u32 = 2;
/// They are in the kernel again, or were never taken out of it, and the stand-in is what they remember.
pub(crate) const RELEASED: u32 = 3;

pub(crate) struct Adopted {
    /// Written last when the place is filled, and first when it is emptied.
    pub(crate) state: AtomicU32,
    pub(crate) client: AtomicU32,
    /// WASMTRAP_ADOPT_*.
    pub(crate) flags: AtomicU32,
    /// Never 0, and greater than those of all that were adopted before.
    pub(crate) id: AtomicU64,
    /// What the engine has installed, by the index of `SIGNALS`; null where it has installed nothing. Dispositions are
    /// never freed.
    pub(crate) handlers: [AtomicPtr<Disposition>; SIGNALS.len()],
}

impl Adopted {
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(FREE),
            client: AtomicU32::new(0),
            flags: AtomicU32::new(0),
            id: AtomicU64::new(0),
            handlers: [const { AtomicPtr::new(core::ptr::null_mut()) }; SIGNALS.len()],
        }
    }

    /// The engine's handler of a signal, by the index of `SIGNALS`.
    pub(crate) fn handler(&self, index: usize) -> Option<&'static Disposition> {
        let found = self.handlers.get(index)?.load(Ordering::Acquire);
        // SAFETY: null or a disposition that is never freed.
        unsafe { found.as_ref() }
    }

    pub(crate) fn is_adopted(&self) -> bool {
        // Sequentially consistent, as all that a section of the readers looks at (`shared::readers`).
        self.state.load(Ordering::SeqCst) == ADOPTED
    }

    /// Its handlers are asked about faults of its own only.
    pub(crate) fn own_faults_only(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & WASMTRAP_ADOPT_OWN_FAULTS != 0
    }
}

/// The places, in no order.
pub(crate) static PLACES: [Adopted; WASMTRAP_MAX_ADOPTED] = [const { Adopted::new() }; WASMTRAP_MAX_ADOPTED];

/// The places from this one on have not been in use yet: the first that is free is taken.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Notes that the place with this number is to be used.
pub(crate) fn use_place(number: usize) {
    USED.fetch_max(number + 1, Ordering::SeqCst);
}

/// All that are in use, among others.
pub(crate) fn in_use() -> impl Iterator<Item = &'static Adopted> {
    PLACES.iter().take(USED.load(Ordering::SeqCst))
}

/// How many of them are adopted.
pub(crate) static COUNT: AtomicU32 = AtomicU32::new(0);
