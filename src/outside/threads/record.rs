//! A thread's record: making one, and freeing it.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use super::chains;
use crate::outside::allocation;
use crate::outside::error::{self, Failure};
use crate::outside::exceptions;
use crate::outside::platform;
use crate::shared::thread::Thread;

/// The serial number of the next record.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// Makes one for this thread, and leaves it as the value of `key`.
pub(super) fn new(key: platform::Key) -> Result<NonNull<Thread>, Failure> {
    let no_memory = |_| error::no_memory(format_args!("a thread's record"));
    let kept = exceptions::kept_record();
    let thread = kept.map_or_else(allocation::allocate::<Thread>, Ok).map_err(no_memory)?;
    let own_stack = platform::stack_bounds();
    let handle = platform::this_thread();
    let backend = match exceptions::new_thread_half() {
        Ok(half) => half,
        Err(failure) => {
            // SAFETY: nobody has seen it; it has no half of the backend's.
            unsafe { exceptions::give_back_memory(thread) };
            return Err(failure);
        }
    };
    // SAFETY: memory of our own, of the right size and alignment.
    unsafe {
        thread.write(Thread::new(SERIAL.fetch_add(1, Ordering::Relaxed), own_stack, handle, backend));
        Thread::settle(thread.as_ptr());
        thread.as_ref().kernels_number.store(platform::kernel_thread(), Ordering::Relaxed);
    }
    let error = key.set_value(thread.as_ptr().cast());
    if error != 0 {
        // SAFETY: nobody has seen the record.
        unsafe { free(thread) };
        return Err(error::no_memory(format_args!("a thread-specific value (error {error})")));
    }
    Ok(thread)
}

/// # Safety
/// The record is on no list, and no handler can find it.
pub(super) unsafe fn free(record: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    unsafe { chains::free_entries(&record.as_ref().calls) };
    // SAFETY: the caller's promise.
    unsafe { exceptions::free_record(record) };
}
