//! Where a signal frame has the interrupted code's rights by protection keys.

use core::sync::atomic::{AtomicUsize, Ordering};

/// In bytes from the start of the frame's extended state; 0 if there are no protection keys.
static PLACE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn place() -> usize {
    PLACE.load(Ordering::Relaxed)
}

pub(crate) fn set_place(place: usize) {
    PLACE.store(place, Ordering::Relaxed);
}
