//! The frames between a trap and its protected call, by frame pointers.
//!
//! Reads memory that nobody vouches for, so it reads only within the part of the thread's stack that must be mapped:
//! from the stack pointer (above an overflow: from the page after the fault) to the protected call's frame.

use super::land;
use super::signals::kernel;
use crate::arch;
use crate::shared::activation::Activation;
use crate::shared::state;
use crate::shared::thread::{StackBounds, Thread};

/// The lowest address of the stack that must be mapped while code runs on it at `sp`.
fn lowest_mapped(stack: &StackBounds, sp: usize, overflow_at: Option<usize>) -> usize {
    let lowest = sp.max(kernel::lowest_mapped(stack));
    match overflow_at {
        Some(address) => lowest.max((address | state::page_mask()).wrapping_add(1)),
        None => lowest,
    }
}

/// Whether there is a frame's record at `fp`, to be read between `lowest` and `end`.
fn is_record(fp: usize, lowest: usize, end: usize) -> bool {
    fp >= lowest
        && fp.is_multiple_of(align_of::<usize>())
        && fp.checked_add(2 * size_of::<usize>()).is_some_and(|top| top <= end)
}

/// The index of the protected call that the frames from `fp` outwards lead to, if they lead to one further out than the
/// call with `index`: that one was left, and others have been called where it was. Otherwise `index` itself.
///
/// The frame of a living call is on the way of frame pointers as long as all code in between keeps them. Code that does
/// not may have anything in that register, the frame of one of its callers too. So only a way counts that begins with a
/// frame further in than the call, and ends exactly in the frame of a call further out.
pub(crate) fn passed_over(
    thread: &Thread,
    index: usize,
    sp: usize,
    mut fp: usize,
    overflow_at: Option<usize>,
) -> usize {
    let stack = thread.stack.get();
    let outermost = thread.calls.get(0).addr();
    if !stack.contains(outermost) || sp >= outermost {
        return index;
    }
    if fp > arch::call_frame(thread.calls.get(index)) {
        return index;
    }
    let mut lowest = lowest_mapped(&stack, sp, overflow_at);
    let mut candidate = index;
    loop {
        let mut call = thread.calls.get(candidate);
        while fp > arch::call_frame(call) {
            if candidate == 0 {
                return index;
            }
            candidate -= 1;
            call = thread.calls.get(candidate);
        }
        if fp == arch::call_frame(call) {
            return if candidate == index || land::is_alive(thread, call, sp) { candidate } else { index };
        }
        if !is_record(fp, lowest, outermost) {
            return index;
        }
        lowest = fp + 2 * size_of::<usize>();
        // SAFETY: between the stack pointer and a protected call on the stack that the thread runs on, all of which is
        // mapped; aligned.
        fp = unsafe { core::ptr::with_exposed_provenance::<usize>(fp).read() };
    }
}

/// Writes the frames, the innermost first, and returns how many there are and whether some were left out.
pub(crate) fn walk(
    frames: &mut [usize],
    pc: usize,
    sp: usize,
    mut fp: usize,
    overflow_at: Option<usize>,
    activation: *const Activation,
    stack: &StackBounds,
) -> (usize, bool) {
    let end = activation.addr();
    let mut lowest = lowest_mapped(stack, sp, overflow_at);
    let known_stack = stack.contains(end) && sp < end;

    let mut count = 0;
    let mut next = pc;
    for slot in frames.iter_mut() {
        *slot = next;
        count += 1;
        if !known_stack || !is_record(fp, lowest, end) {
            return (count, false);
        }
        let record = core::ptr::with_exposed_provenance::<usize>(fp);
        // SAFETY: both words lie between the stack pointer and the protected call's frame on the stack that the thread
        // runs on, all of which is mapped; they are aligned.
        let (outer, return_address) = unsafe { (record.read(), record.add(1).read()) };
        // The frame that the protected call called: its return address is the library's own.
        if outer == arch::call_frame(activation) {
            return (count, false);
        }
        lowest = fp + 2 * size_of::<usize>();
        fp = outer;
        next = arch::code_address(return_address);
    }
    (count, true)
}

#[cfg(test)]
#[path = "backtrace_tests.rs"]
mod tests;
