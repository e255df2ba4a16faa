//! What a thread's record has for a backend that needs nothing there.

/// Nothing.
pub(crate) struct ThreadHalf;
