//! The system calls of the handler. The thread's last error belongs to the code that was interrupted and is put back.

use windows_sys::Win32::Foundation::{GetLastError, SetLastError};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEMORY_BASIC_INFORMATION, PAGE_EXECUTE, PAGE_GUARD, PAGE_NOACCESS, VirtualQuery,
};

use crate::arch;
use crate::shared::thread::StackBounds;

/// The kernel has refused something. It is asked for nothing here that it could refuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused;

/// There are no signals to block.
pub(crate) fn set_mask(_mask: u64) -> Result<u64, Refused> {
    Ok(0)
}

/// Runs `f`: nothing comes in between but the end of the thread.
pub(crate) fn with_mask(_mask: u64, f: impl FnOnce()) {
    f();
}

/// Whether memory can be read. Asked, not tried: to touch a guard page is to use it up.
#[inline(never)] // rare, and system calls stay in one place
pub(crate) fn can_read(address: usize, length: usize) -> bool {
    let Some(end) = address.checked_add(length) else { return false };
    // SAFETY: no arguments; a word of this thread's.
    let last_error = unsafe { GetLastError() };
    let mut at = address;
    while at < end {
        match readable_until(at) {
            Some(next) => at = next,
            None => break,
        }
    }
    // SAFETY: as above.
    unsafe { SetLastError(last_error) };
    at >= end
}

/// Pages that are alike, from an address on.
struct Part {
    end: usize,
    is_readable: bool,
}

/// The end of the pages like that at `address`, if they can be read.
fn readable_until(address: usize) -> Option<usize> {
    query(address).filter(|part| part.is_readable).map(|part| part.end)
}

fn query(address: usize) -> Option<Part> {
    // SAFETY: all-zero is a valid value to write into.
    let mut found: MEMORY_BASIC_INFORMATION = unsafe { core::mem::zeroed() };
    // SAFETY: writes no more than `found`.
    let length = unsafe { VirtualQuery(address as *const _, &raw mut found, size_of_val(&found)) };
    let is_readable = length != 0
        && found.State == MEM_COMMIT
        && found.Protect & (PAGE_NOACCESS | PAGE_GUARD) == 0
        && found.Protect & 0xff != PAGE_EXECUTE;
    let end = found.BaseAddress.addr().checked_add(found.RegionSize).filter(|&end| end > address)?;
    Some(Part { end, is_readable })
}

/// The lowest byte of a stack that is mapped while code further in than that runs on it: a stack gets its pages one by
/// one, and the thread's block says how far it has come (StackLimit). Where the stack is that of a thread that has been
/// suspended, the system is asked.
pub(crate) fn lowest_mapped(stack: &StackBounds) -> usize {
    let limit = arch::stack_limit();
    if stack.contains(limit) { limit } else { lowest_readable(stack) }
}

/// The same of a stack that is not this thread's: what is reserved comes first, a guard, and then what can be read.
#[inline(never)] // rare, and system calls stay in one place
fn lowest_readable(stack: &StackBounds) -> usize {
    /// Reserved, free for an overflow, guard, and one more in between.
    const MOST_PARTS: usize = 4;
    let mut at = stack.low;
    for _ in 0..MOST_PARTS {
        match query(at) {
            Some(part) if part.is_readable => return at,
            Some(part) if part.end < stack.high => at = part.end,
            _ => break,
        }
    }
    // Nobody knows: nothing of it is read.
    stack.high
}
