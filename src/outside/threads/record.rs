//! A thread's record: making one, and freeing it.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::chains;
use crate::outside::allocation;
use crate::outside::error::{self, Failure};
use crate::outside::exceptions;
use crate::outside::platform;
use crate::shared::backend::BackendsTraps;
use crate::shared::calls::Calls;
use crate::shared::last_lookup::LastLookup;
use crate::shared::pending::PendingTraps;
use crate::shared::thread::{Asking, Thread};

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
        thread.write(Thread {
            calls: Calls::new(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            attention: AtomicU8::new(0),
            stack: Cell::new(own_stack),
            own_stack: Cell::new(own_stack),
            alternate_stack: Cell::new(None),
            lifted: Cell::new(0),
            lifted_interrupts: Cell::new(false),
            handle,
            runs: AtomicU32::new(0),
            signalled: AtomicBool::new(false),
            asking: Cell::new(Asking::NOBODY),
            mask_to_put_back: Cell::new(0),
            adopted: Cell::new(0),
            last_lookup: LastLookup::new(),
            backend,
            next: Cell::new(core::ptr::null()),
            prev: Cell::new(core::ptr::null()),
            pending: PendingTraps::new(),
            backends_pending: BackendsTraps::new(),
        });
        Calls::settle(&raw mut (*thread.as_ptr()).calls);
        PendingTraps::settle(&raw mut (*thread.as_ptr()).pending);
        BackendsTraps::settle(&raw mut (*thread.as_ptr()).backends_pending);
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
