//! Memory whose lack is an answer, not an abort.
//!
//! In tests, each thread counts what it holds, can be made to run out at any allocation, and overwrites what it frees,
//! so that a reader of freed memory is found out.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

/// There is no memory left. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// Uninitialised memory for a `T`.
pub(crate) fn allocate<T>() -> Result<NonNull<T>, NoMemory> {
    Ok(allocate_layout(Layout::new::<T>())?.cast())
}

/// Gives back memory for a `T`, without dropping the value in it.
///
/// # Safety
/// `pointer` came from [`allocate`], or [`copy_slice`] of one element, and is not used again.
pub(crate) unsafe fn release<T>(pointer: NonNull<T>) {
    // SAFETY: the caller's promise.
    unsafe { release_layout(pointer.cast(), Layout::new::<T>()) }
}

/// An allocation of exactly the size of `slice`, holding a copy of it. Dangling, but not null, if there is nothing to
/// copy.
pub(crate) fn copy_slice<T: Copy>(slice: &[T]) -> Result<NonNull<T>, NoMemory> {
    if slice.is_empty() || size_of::<T>() == 0 {
        return Ok(NonNull::dangling());
    }
    let copy: NonNull<T> = allocate_layout(Layout::for_value(slice))?.cast();
    // SAFETY: the memory is new and as large as `slice`.
    unsafe { copy.copy_from_nonoverlapping(NonNull::from(slice).cast(), slice.len()) };
    Ok(copy)
}

/// Uninitialised memory for `len` elements, of which there is at least one. [`release_slice`] gives it back.
pub(crate) fn allocate_slice<T: Copy>(len: usize) -> Result<NonNull<T>, NoMemory> {
    let layout = Layout::array::<T>(len).map_err(|_| NoMemory)?;
    Ok(allocate_layout(layout)?.cast())
}

/// Gives back what [`copy_slice`] or [`allocate_slice`] made.
///
/// # Safety
/// `copy` came from one of them for a slice of `len` elements and is not used again.
pub(crate) unsafe fn release_slice<T: Copy>(copy: NonNull<T>, len: usize) {
    if let Ok(layout) = Layout::array::<T>(len)
        && layout.size() != 0
    {
        // SAFETY: the caller's promise; the layout is the one of the slice that was copied.
        unsafe { release_layout(copy.cast(), layout) }
    }
}

fn allocate_layout(layout: Layout) -> Result<NonNull<u8>, NoMemory> {
    #[cfg(test)]
    accounting::before_allocation()?;
    // SAFETY: no layout that comes here has size 0.
    let memory = NonNull::new(unsafe { alloc(layout) }).ok_or(NoMemory)?;
    #[cfg(test)]
    accounting::after_allocation();
    Ok(memory)
}

/// # Safety
/// `memory` came from [`allocate_layout`] with the same layout and is not used again.
unsafe fn release_layout(memory: NonNull<u8>, layout: Layout) {
    #[cfg(test)]
    // SAFETY: the caller gives the memory up.
    unsafe {
        accounting::before_release(memory, layout);
    }
    // SAFETY: the caller's promise.
    unsafe { dealloc(memory.as_ptr(), layout) }
}

#[cfg(test)]
pub(crate) mod accounting {
    use super::{Layout, NoMemory, NonNull};
    use core::cell::Cell;

    std::thread_local! {
        static LIVE: Cell<isize> = const { Cell::new(0) };
        static FAIL_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// How many more allocations this thread has made than it has released.
    pub(crate) fn live() -> isize {
        LIVE.get()
    }

    /// Makes this thread's allocations fail after `successes` more of them; `None` ends that.
    pub(crate) fn fail_after(successes: Option<usize>) {
        FAIL_AFTER.set(successes);
    }

    pub(super) fn before_allocation() -> Result<(), NoMemory> {
        match FAIL_AFTER.get() {
            None => Ok(()),
            Some(0) => Err(NoMemory),
            Some(left) => {
                FAIL_AFTER.set(Some(left - 1));
                Ok(())
            }
        }
    }

    pub(super) fn after_allocation() {
        LIVE.set(LIVE.get() + 1);
    }

    /// # Safety
    /// `memory` is as large as `layout` says and given up by its owner.
    pub(super) unsafe fn before_release(memory: NonNull<u8>, layout: Layout) {
        LIVE.set(LIVE.get() - 1);
        // Volatile, or the compiler would see that nobody may read it any more and leave it out.
        for offset in 0..layout.size() {
            // SAFETY: the caller's promise.
            unsafe { memory.add(offset).write_volatile(0xDB) };
        }
    }
}
