//! How far down compiled code may use the stack: what it compares its stack pointer with, so that what it calls of the
//! host has room.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::attach;
use crate::arch;
use crate::outside::error::{Failure, fail};
use crate::outside::{library, platform};
use crate::shared::abi::*;
use crate::shared::thread::StackBounds;

/// What the host's imports need, by the host's word.
static RESERVE: AtomicUsize = AtomicUsize::new(WASMTRAP_DEFAULT_STACK_RESERVE);

pub(crate) fn set_reserve(bytes: usize) {
    RESERVE.store(bytes, Ordering::Relaxed);
}

/// The lowest address that compiled code may use on the stack that the thread runs on now.
pub(crate) fn limit(reserve: usize) -> Result<usize, Failure> {
    library::require_ready()?;
    let thread = attach()?;
    limit_of(&thread.stack.get(), arch::stack_pointer(), reserve)
}

fn limit_of(stack: &StackBounds, sp: usize, reserve: usize) -> Result<usize, Failure> {
    if !stack.contains(sp) {
        return Err(fail(
            WASMTRAP_ERR_UNSUPPORTED,
            format_args!(
                "the stack pointer is {sp:#x}, and nothing is known of a stack there: give its bounds to \
                 wasmtrap_chain_attach"
            ),
        ));
    }
    let low = platform::lowest_usable(stack);
    let hosts = RESERVE.load(Ordering::Relaxed);
    low.checked_add(reserve).and_then(|limit| limit.checked_add(hosts)).filter(|&limit| limit < stack.high).ok_or_else(
        || {
            fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!(
                    "reserve is {reserve}, which with the host's reserve of {hosts} bytes leaves nothing of a stack \
                     of {} bytes",
                    stack.high - low
                ),
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_leaves_something_of_the_stack() {
        let stack = StackBounds { low: 0x10_0000, high: 0x20_0000, guard: 0, margin: 0, grows: false };
        let limit = |reserve| limit_of(&stack, stack.high - 64, reserve).ok();
        let hosts = RESERVE.load(Ordering::Relaxed);
        let all = stack.high - stack.low - hosts;
        assert_eq!(limit(0), Some(stack.low + hosts));
        assert_eq!(limit(all - 1), Some(stack.high - 1));
        for reserve in [all, all + 1, usize::MAX - stack.low, usize::MAX] {
            assert_eq!(limit(reserve), None, "{reserve:#x}");
        }
    }
}
