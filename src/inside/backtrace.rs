//! The frames between a trap and its protected call, by frame pointers.
//!
//! Reads memory that nobody vouches for, so it reads only within the part of the thread's stack that must be mapped:
//! from the stack pointer (above an overflow: from the page after the fault) to the protected call's frame.

use crate::arch;
use crate::shared::activation::Activation;
use crate::shared::state;
use crate::shared::thread::StackBounds;

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
    let mut lowest = sp.max(stack.low);
    if let Some(address) = overflow_at {
        lowest = lowest.max((address | state::page_mask()).wrapping_add(1));
    }
    let known_stack = stack.contains(end) && sp < end;

    let mut count = 0;
    let mut next = pc;
    for slot in frames.iter_mut() {
        *slot = next;
        count += 1;
        let sane = known_stack
            && fp >= lowest
            && fp.is_multiple_of(align_of::<usize>())
            && fp.checked_add(2 * size_of::<usize>()).is_some_and(|top| top <= end);
        if !sane {
            return (count, false);
        }
        let record = fp as *const usize;
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
