//! What a thread's record has for a backend that needs nothing there.

/// Nothing.
pub(crate) struct ThreadHalf;

/// No traps but the thread's own.
pub(crate) struct BackendsTraps;

impl BackendsTraps {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) unsafe fn settle(_traps: *mut Self) {}
}
