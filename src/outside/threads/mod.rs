//! Threads: attaching them, and putting everything back at their end.

#[cfg_attr(windows, path = "windows/stack_guarantee.rs")]
pub(crate) mod alternate_stack;
pub(crate) mod chains;
#[cfg_attr(windows, path = "windows/describe.rs")]
pub(crate) mod describe;
pub(crate) mod list;
pub(crate) mod marks;
mod record;
#[cfg_attr(windows, path = "windows/no_signal_mask.rs")]
pub(crate) mod signal_mask;
pub(crate) mod stack_limit;

use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::cancellation::CancellationWaits;
use super::error::{self, Failure, fail};
use super::platform::{self, Key, ThreadKey};
use super::runs;
use super::sanitizers;
use super::{exceptions, fork, library};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::thread::{
    ATTENTION_ALWAYS, ATTENTION_SANITIZER, ATTENTION_SET_UP, ATTENTION_STACK, LASTING_ATTENTION, Thread,
};
use alternate_stack::{Occasion, TakenBack};

/// This thread's record, attaching it if need be.
pub(crate) fn attach() -> Result<&'static Thread, Failure> {
    // SAFETY: null or this thread's record, which only this thread frees.
    if let Some(thread) = unsafe { arch::current_thread().as_ref() } {
        return look_again(thread).map(|()| thread);
    }
    let _whole = CancellationWaits::new();
    library::require_ready()?;
    let key = exit_key()?;
    // A record that was detached while something else sat on our alternate stack. In a forked child it may be that of a
    // thread that is not there, freed: it is left where it is.
    let kept = if fork::may_leave_values_behind() { core::ptr::null_mut() } else { key.value().cast::<Thread>() };
    let record = match NonNull::new(kept) {
        Some(kept) => kept,
        None => record::new(key)?,
    };
    // SAFETY: this thread's, which only this thread frees.
    let thread = unsafe { record.as_ref() };
    let discard = || {
        if kept.is_null() {
            key.set_value(core::ptr::null());
            // SAFETY: the record was made above and is on no list.
            unsafe { record::free(record) };
        }
    };
    alternate_stack::give(thread).inspect_err(|_| discard())?;
    let undo = || {
        signal_mask::put_back(thread);
        if alternate_stack::take_back(thread, Occasion::Detach) == TakenBack::Yes {
            discard();
        }
    };
    signal_mask::lift(thread).inspect_err(|_| undo())?;
    let lasting = lasting_attention(platform::orders_threads(), sanitizers::need_jumps());
    thread.attention.fetch_or(ATTENTION_SET_UP | lasting, Ordering::Relaxed);
    let mut list = list::lock();
    if let Err(failure) = exceptions::attach(thread) {
        drop(list);
        undo();
        return Err(failure);
    }
    // SAFETY: this thread's, on no list yet.
    unsafe { list.enter(record) };
    let ended = list.take_ended();
    drop(list);
    arch::set_current_thread(thread);
    // free may be the host's: not with a lock held.
    drop(ended);
    // Once more, now that a shutdown would find the thread.
    look_again(thread).map(|()| thread)
}

/// What has each call of a thread take the long way, as long as it is attached.
fn lasting_attention(orders_threads: bool, needs_jumps: bool) -> u8 {
    let barrier = if orders_threads { 0 } else { ATTENTION_ALWAYS };
    let jumps = if needs_jumps { ATTENTION_SANITIZER } else { 0 };
    barrier | jumps
}

/// The same where the host asks for it: what it may have changed since is seen to as well.
pub(crate) fn attach_anew() -> Result<(), Failure> {
    let is_attached = !arch::current_thread().is_null();
    let thread = attach()?;
    if is_attached {
        alternate_stack::give(thread)?;
        signal_mask::lift(thread)?;
        look_at_own_stack(thread);
    }
    Ok(())
}

/// Notes where the thread's own stack ends now.
fn look_at_own_stack(thread: &Thread) {
    let before = thread.own_stack.get();
    // On another stack there is nothing to be seen of it.
    if before.contains(arch::stack_pointer()) {
        let now = platform::stack_bounds();
        if thread.stack.get() == before {
            thread.stack.set(now);
        }
        thread.own_stack.set(now);
    }
}

/// What stands in the way of traps in this thread now: WASMTRAP_CHECK_* bits.
pub(crate) fn check() -> Result<u32, Failure> {
    let kinds = signal_mask::blocked_kinds()?;
    // SAFETY: null or this thread's record, which only this thread frees.
    let thread = unsafe { arch::current_thread().as_ref() };
    let has_stack = alternate_stack::is_enough_now(thread)?;
    let mut found = kinds << WASMTRAP_CHECK_BLOCKED_SHIFT;
    for (is_so, bit) in [
        (!has_stack, WASMTRAP_CHECK_ALTERNATE_STACK),
        (signal_mask::blocks_interrupts()?, WASMTRAP_CHECK_INTERRUPTS_BLOCKED),
    ] {
        found |= if is_so { bit } else { 0 };
    }
    Ok(found)
}

/// Clears a thread's call for attention, if there is no more reason for it.
fn look_again(thread: &Thread) -> Result<(), Failure> {
    // Before the look, so that a shutdown that comes after the look is not cleared with it.
    let attention = thread.attention.fetch_and(LASTING_ATTENTION, Ordering::SeqCst);
    if attention & !LASTING_ATTENTION == 0 {
        return library::require_ready();
    }
    let _whole = CancellationWaits::new();
    let result = library::require_ready().and_then(|()| {
        let list = list::lock();
        exceptions::attach(thread)?;
        drop(list);
        signal_mask::lift(thread)?;
        if attention & ATTENTION_STACK != 0 {
            alternate_stack::give(thread)?;
        }
        Ok(())
    });
    result.inspect_err(|_| _ = thread.attention.fetch_or(attention, Ordering::SeqCst))
}

/// This thread's record, if it is attached.
pub(crate) fn current() -> Option<&'static Thread> {
    // SAFETY: null or this thread's record, which only this thread frees.
    unsafe { arch::current_thread().as_ref() }
}

fn leave_list(thread: &Thread) {
    let mut list = list::lock();
    exceptions::detach(thread);
    runs::thread_ends(thread);
    list.leave(thread);
}

pub(crate) fn detach() -> Result<(), Failure> {
    let Some(thread) = current() else { return Ok(()) };
    chains::forget_left_calls(thread, arch::stack_pointer());
    if thread.calls.depth() != 0 {
        return Err(fail(
            WASMTRAP_ERR_BUSY,
            format_args!("the thread is inside the protected call at {:#x}", thread.calls.innermost().addr()),
        ));
    }
    if alternate_stack::runs_on_ours(thread)? {
        return Err(fail(WASMTRAP_ERR_BUSY, format_args!("the thread runs on its alternate signal stack")));
    }
    signal_mask::put_back(thread);
    let taken = alternate_stack::take_back(thread, Occasion::Detach);
    // First of all for handlers: from here on the thread is foreign.
    arch::set_current_thread(core::ptr::null_mut());
    leave_list(thread);
    if taken == TakenBack::Yes {
        let key = exit_key()?;
        // The pointer that the record was made with: memory must not be freed by a reference's.
        let record = key.value().cast::<Thread>();
        key.set_value(core::ptr::null());
        if let Some(record) = NonNull::new(record) {
            // SAFETY: the record is on no list and in no handler's hands.
            unsafe { record::free(record) };
        }
    }
    Ok(())
}

/// The key whose destructor puts everything back at a thread's end.
fn exit_key() -> Result<Key, Failure> {
    static KEY: ThreadKey = ThreadKey::new(thread_ends);
    KEY.get().map_err(|error| error::system(platform::MAKING_A_KEY, error))
}

extern "C" fn thread_ends(record: *mut c_void) {
    let Some(record) = NonNull::new(record.cast::<Thread>()) else { return };
    let is_attached = core::ptr::eq(arch::current_thread(), record.as_ptr());
    // Perhaps nobody's, as in `attach`.
    if !is_attached && fork::may_leave_values_behind() {
        return;
    }
    // SAFETY: the record that `attach` stored for this thread.
    let thread = unsafe { record.as_ref() };
    if is_attached {
        arch::set_current_thread(core::ptr::null_mut());
        leave_list(thread);
    }
    signal_mask::put_back(thread);
    if alternate_stack::take_back(thread, Occasion::EndOfThread) == TakenBack::Covered {
        // Nobody is left to put ours back.
        // SAFETY: the thread's signal stack is another.
        unsafe { alternate_stack::free(thread) };
    }
    // SAFETY: on no list, in no handler's hands, and pthread has forgotten it.
    unsafe { record::free(record) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_for_the_long_way_has_its_bit() {
        assert_eq!(lasting_attention(true, false), 0);
        assert_eq!(lasting_attention(false, false), ATTENTION_ALWAYS);
        assert_eq!(lasting_attention(true, true), ATTENTION_SANITIZER);
        assert_eq!(lasting_attention(false, true), ATTENTION_ALWAYS | ATTENTION_SANITIZER);
    }
}
