//! A thread's chain of protected calls: taking it off the thread, and giving it to one.

use core::sync::atomic::Ordering;

use super::attach as attach_thread;
use crate::arch;
use crate::inside::land;
use crate::outside::error::{Failure, fail};
use crate::outside::library;
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::thread::StackBounds;

pub(crate) fn detach() -> Result<*mut wasmtrap_chain_t, Failure> {
    library::require_ready()?;
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return Ok(core::ptr::null_mut()) };
    let chain = thread.chain.swap(core::ptr::null_mut(), Ordering::Relaxed);
    thread.stack.set(thread.own_stack.get());
    // SAFETY: null or the frame of a protected call that has not returned.
    if let Some(activation) = unsafe { chain.as_mut() } {
        activation.detached = 1;
    }
    Ok(chain.cast())
}

/// # Safety
/// `chain` is null or came from `detach`, and its protected calls have not ended.
pub(crate) unsafe fn attach(chain: *mut wasmtrap_chain_t, stack: Option<&wasmtrap_stack_t>) -> Result<(), Failure> {
    library::require_ready()?;
    let bounds = stack.map(checked_bounds).transpose()?;
    let chain = chain.cast::<Activation>();
    // All that can be refused comes before the thread is attached.
    // SAFETY: null or this thread's record, which only this thread frees.
    let innermost = unsafe { arch::current_thread().as_ref() }.map_or(core::ptr::null_mut(), land::innermost);
    if !innermost.is_null() {
        return Err(fail(
            WASMTRAP_ERR_BUSY,
            format_args!("the thread is inside the protected call at {:#x}: detach its chain first", innermost.addr()),
        ));
    }
    // SAFETY: the caller's promise.
    if unsafe { chain.as_ref() }.is_some_and(|activation| activation.detached == 0) {
        return Err(fail(
            WASMTRAP_ERR_WRONG_THREAD,
            format_args!("chain {:#x} is attached to a thread already", chain.addr()),
        ));
    }
    let thread = attach_thread()?;
    // SAFETY: the caller's promise.
    if let Some(activation) = unsafe { chain.as_mut() } {
        activation.detached = 0;
    }
    thread.stack.set(bounds.unwrap_or(thread.own_stack.get()));
    // Last, because from here on a trap lands in the chain.
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    thread.chain.store(chain, Ordering::Relaxed);
    Ok(())
}

fn checked_bounds(stack: &wasmtrap_stack_t) -> Result<StackBounds, Failure> {
    let (low, high, guard) = (stack.low.addr(), stack.high.addr(), stack.guard_size);
    if low == 0 || high <= low {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("stack->low is {low:#x} and stack->high is {high:#x}, which is no stack"),
        ));
    }
    if guard > low {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("stack->guard_size is {guard:#x}, which wraps around below stack->low {low:#x}"),
        ));
    }
    Ok(StackBounds { low, high, guard, margin: guard, grows: false })
}
