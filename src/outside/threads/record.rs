//! A thread's record: making one, and freeing it.

use core::cell::{Cell, UnsafeCell};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

#[cfg(wasmtrap_mach)]
use super::alternate_stack;
use super::chains;
use crate::outside::allocation;
use crate::outside::error::{self, Failure};
use crate::outside::platform;
use crate::shared::calls::Calls;
#[cfg(wasmtrap_mach)]
use crate::shared::mach::MachThread;
use crate::shared::thread::{Asking, PendingTrap, Thread};

/// The serial number of the next record.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// Makes one for this thread, and leaves it as the value of `key`.
pub(super) fn new(key: libc::pthread_key_t) -> Result<NonNull<Thread>, Failure> {
    let no_memory = |_| error::no_memory(format_args!("a thread's record"));
    #[cfg(wasmtrap_mach)]
    let kept = crate::outside::mach::records::take();
    #[cfg(not(wasmtrap_mach))]
    let kept = None;
    let thread = kept.map_or_else(allocation::allocate::<Thread>, Ok).map_err(no_memory)?;
    let own_stack = platform::stack_bounds();
    #[cfg(wasmtrap_mach)]
    let mach = match new_mach_half() {
        Ok(mach) => mach,
        Err(failure) => {
            match kept {
                Some(record) => crate::outside::mach::records::keep(record),
                // SAFETY: fresh memory, which nobody has seen.
                None => unsafe { allocation::release(thread) },
            }
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
            pending: UnsafeCell::new(PendingTrap::EMPTY),
            alternate_stack: Cell::new(None),
            lifted: Cell::new(0),
            asking: Cell::new(Asking::NOBODY),
            mask_to_put_back: Cell::new(0),
            #[cfg(wasmtrap_mach)]
            mach,
            next: Cell::new(core::ptr::null()),
            prev: Cell::new(core::ptr::null()),
        });
        Calls::settle(&raw mut (*thread.as_ptr()).calls);
    }
    // SAFETY: the key exists.
    let error = unsafe { libc::pthread_setspecific(key, thread.as_ptr().cast()) };
    if error != 0 {
        // SAFETY: nobody has seen the record.
        unsafe { free(thread) };
        return Err(error::no_memory(format_args!("a thread-specific value (pthread_setspecific: errno {error})")));
    }
    Ok(thread)
}

/// The Mach half of a record, with the stack on which the embedder's fault handler runs.
#[cfg(wasmtrap_mach)]
fn new_mach_half() -> Result<MachThread, Failure> {
    let mach = MachThread::new();
    let size = alternate_stack::size() + mach.vector_state_size;
    let stack = alternate_stack::map_stack(size, "the fault handler's stack")?;
    mach.callback_stack.set(stack.mapping);
    mach.callback_stack_size.set(stack.mapping_size);
    Ok(mach)
}

/// # Safety
/// The record is on no list, and no handler can find it.
pub(super) unsafe fn free(record: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    unsafe { chains::free_entries(&record.as_ref().calls) };
    #[cfg(wasmtrap_mach)]
    {
        // SAFETY: the caller's promise.
        let mach = unsafe { &record.as_ref().mach };
        // SAFETY: a mapping of `map_stack`, which nothing runs on.
        unsafe { libc::munmap(mach.callback_stack.get(), mach.callback_stack_size.get()) };
        crate::outside::mach::records::keep(record);
    }
    #[cfg(not(wasmtrap_mach))]
    // SAFETY: the caller's promise.
    unsafe {
        allocation::release(record)
    };
}
