//! Stacks: their bounds, and what a trap has to put in order.
//!
//! A stack is reserved as a whole and gets its pages one by one. Below them lies a guard page; who touches it gets the
//! next pages, and the guard moves down, until only what the thread has asked to be kept free is left
//! (SetThreadStackGuarantee): that is a stack overflow, and from then on there is no guard. The next overflow would end
//! the process, unless somebody puts the guard back, as the C library's _resetstkoflw does.

use windows_sys::Win32::Foundation::STATUS_STACK_OVERFLOW;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_FREE, PAGE_GUARD, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc, VirtualProtect,
};
use windows_sys::Win32::System::Threading::SetThreadStackGuarantee;

use super::query;
use crate::arch;
use crate::outside::platform::page_size;
use crate::shared::abi::{WASMTRAP_HAS_STACK_GUARD, wasmtrap_trap_t};
use crate::shared::thread::StackBounds;

/// The bounds of the stack that this thread runs on.
pub(crate) fn stack_bounds() -> StackBounds {
    let (low, high) = (arch::deallocation_stack(), arch::stack_base());
    StackBounds { low, high, guard: 0, margin: 0, grows: true }
}

/// The bytes that this thread keeps free for handling an overflow.
fn guaranteed() -> usize {
    let mut bytes = 0;
    // SAFETY: valid for a read and a write; 0 only asks.
    if unsafe { SetThreadStackGuarantee(&raw mut bytes) } == 0 { 0 } else { bytes as usize }
}

/// The guard: what is guaranteed in whole pages and a page more, so that what is guaranteed is left wherever in a page
/// the overflow comes; two pages at the least.
fn guard_size() -> usize {
    let page = page_size();
    // A page's size is a power of two, which the compiler does not know: it would put a panic into a remainder.
    let guaranteed = guaranteed().wrapping_add(page - 1) & !(page - 1);
    page + guaranteed.max(page)
}

/// The lowest byte of a stack that can be counted on: above the page that is never used, and the guard.
pub(crate) fn lowest_usable(stack: &StackBounds) -> usize {
    if stack.grows { stack.low + page_size() + guard_size() } else { stack.low }
}

/// A trap has landed on this stack.
pub(crate) fn has_landed(trap: &wasmtrap_trap_t) {
    if trap.exception == STATUS_STACK_OVERFLOW || trap.flags & WASMTRAP_HAS_STACK_GUARD != 0 {
        provide_guard();
    }
}

/// The lowest page of this stack that is in memory, guard or not.
fn lowest_page() -> Option<usize> {
    let (low, high) = (arch::deallocation_stack(), arch::stack_base());
    let mut at = low;
    while at < high {
        let found = query(at)?;
        if found.State == MEM_FREE {
            return None;
        }
        // The last page of all is never anybody's.
        if found.State == MEM_COMMIT && found.Protect & PAGE_NOACCESS == 0 {
            return Some(at);
        }
        at = found.BaseAddress.addr() + found.RegionSize;
    }
    None
}

/// Sees to it that the next overflow of this stack finds a guard, and what is guaranteed below it. Where the stack is
/// too full for that it stays as it is, and the next overflow ends the process.
///
/// A guard that can still move down is the system's affair. One at the bottom is not: Wine 8 has all pages of a stack
/// in memory from the start, with a guard of one page at the bottom, whatever is guaranteed (grow_thread_stack and
/// virtual_alloc_thread_stack, dlls/ntdll/unix/virtual.c).
pub(crate) fn provide_guard() {
    let (page, bottom) = (page_size(), arch::deallocation_stack());
    let Some(lowest) = lowest_page() else { return };
    let Some(found) = query(lowest) else { return };
    let end_of_guard = found.BaseAddress.addr() + found.RegionSize;
    let start = lowest.max(bottom + page);
    let end = start + guard_size();
    let is_good = found.Protect & PAGE_GUARD != 0 && (start != bottom + page || end_of_guard >= end);
    // What runs here needs some pages too.
    if is_good || end + 2 * page > arch::stack_pointer() & !(page - 1) {
        return;
    }
    let mut before = 0;
    // SAFETY: pages of this stack below all that is in use.
    unsafe {
        let pages = VirtualAlloc(start as *const _, end - start, MEM_COMMIT, PAGE_READWRITE);
        if !pages.is_null() && VirtualProtect(pages, end - start, PAGE_READWRITE | PAGE_GUARD, &raw mut before) != 0 {
            arch::set_stack_limit(end);
        }
    }
}

/// The thread is back on a stack that it had left, by a trap: notes how far down its pages go, for the code that grows
/// it and for the unwinder, which takes no frame below that for one.
pub(crate) extern "C" fn stack_is_back() {
    let bottom = arch::deallocation_stack();
    let page = page_size();
    let is_in_use = |at: usize| {
        query(at).is_some_and(|found| found.State == MEM_COMMIT && found.Protect & (PAGE_GUARD | PAGE_NOACCESS) == 0)
    };
    let mut limit = arch::stack_pointer() & !(page - 1);
    while limit > bottom && is_in_use(limit - page) {
        limit -= page;
    }
    // SAFETY: from here up all pages are there.
    unsafe { arch::set_stack_limit(limit) };
}
