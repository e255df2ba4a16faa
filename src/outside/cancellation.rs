//! Thread cancellation: no function of the library is a cancellation point (pthread_cancel(3)), though it calls some of
//! libc's, open(2) and read(2) say. A thread that was cancelled in one would leave a descriptor, a lock of the
//! library's or a record that is half made.

use super::platform::{CANCEL_DISABLE, exchange_cancel_state};

/// As long as it lives, a cancellation of this thread waits. Then it waits for the next cancellation point, which is
/// not here: to enable cancellation is none, unless the thread has asked for it to come at any time
/// (PTHREAD_CANCEL_ASYNCHRONOUS). So the guard is made first, and dropped last, when no lock is held. Guards nest.
///
/// Costs a few nanoseconds, so that it is not on the ways that a protected call of an attached thread takes. There are
/// no cancellation points on them either.
pub(crate) struct CancellationWaits {
    earlier: core::ffi::c_int,
}

impl CancellationWaits {
    pub(crate) fn new() -> Self {
        Self { earlier: exchange_cancel_state(CANCEL_DISABLE) }
    }
}

impl Drop for CancellationWaits {
    fn drop(&mut self) {
        exchange_cancel_state(self.earlier);
    }
}
