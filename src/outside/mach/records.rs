//! The records of threads that have ended, for those that come.
//!
//! A record's memory is never given back. If the kernel interrupts a thread that waits for the answer to its exception,
//! the thread goes on by a signal, and may have ended when the server reads the message (kernel_mach_msg_rpc_common,
//! osfmk/ipc/mach_msg.c), whose context is the record's address. What the server finds there is a record all the same,
//! which has another port by now, or none.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::shared::thread::Thread;

/// A list by their `next`.
static KEPT: AtomicPtr<Thread> = AtomicPtr::new(core::ptr::null_mut());

/// Keeps a record that is on no list and that no handler can find.
pub(crate) fn keep(record: NonNull<Thread>) {
    // SAFETY: the caller has it alone, but for the server's look at its port.
    let thread = unsafe { record.as_ref() };
    let mut first = KEPT.load(Ordering::Relaxed);
    loop {
        thread.next.set(first.cast_const());
        match KEPT.compare_exchange_weak(first, record.as_ptr(), Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

/// Takes one, if there is any.
pub(crate) fn take() -> Option<NonNull<Thread>> {
    // All of them at once, so that none can leave and come back in between.
    let first = NonNull::new(KEPT.swap(core::ptr::null_mut(), Ordering::Acquire))?;
    // SAFETY: nobody else has them now.
    let mut rest = unsafe { first.as_ref() }.next.get();
    while let Some(record) = NonNull::new(rest.cast_mut()) {
        // SAFETY: as above.
        rest = unsafe { record.as_ref() }.next.get();
        keep(record);
    }
    Some(first)
}
