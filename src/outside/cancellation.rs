//! Thread cancellation: no function of the library is a cancellation point (pthread_cancel(3)), though it calls some of
//! libc's, open(2) and read(2) say. A thread that was cancelled in one would leave a descriptor, a lock of the
//! library's or a record that is half made.

use super::platform::PTHREAD_CANCEL_DISABLE;

/// As long as it lives, a cancellation of this thread waits. Then it waits for the next cancellation point, which is
/// not here: to enable cancellation is none, unless the thread has asked for it to come at any time
/// (PTHREAD_CANCEL_ASYNCHRONOUS). So the guard is made first, and dropped last, when no lock is held. Guards nest.
///
/// Costs a few nanoseconds, so that it is not on the ways that a protected call of an attached thread takes. There are
/// no cancellation points on them either.
pub(crate) struct CancellationWaits {
    earlier: libc::c_int,
}

impl CancellationWaits {
    pub(crate) fn new() -> Self {
        let mut earlier = PTHREAD_CANCEL_DISABLE;
        // SAFETY: `earlier` is valid for a write. The state is a valid one, so there is no error.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut earlier) };
        Self { earlier }
    }
}

impl Drop for CancellationWaits {
    fn drop(&mut self) {
        let mut unused = 0;
        // SAFETY: null is allowed by the systems that we run on, but not by POSIX, so there is a variable.
        unsafe { pthread_setcancelstate(self.earlier, &raw mut unused) };
    }
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: libc::c_int, earlier: *mut libc::c_int) -> libc::c_int;
}
