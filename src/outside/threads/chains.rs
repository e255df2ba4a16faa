//! A thread's chain of protected calls: making room in it, taking it off the thread, and giving it to one.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

use super::{attach as attach_thread, current, list};
use crate::arch;
use crate::inside::land;
use crate::outside::allocation;
use crate::outside::error::{self, Failure, fail};
use crate::outside::library;
use crate::outside::runs;
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::calls::{BOTTOM, Calls, FIRST_CAPACITY};
use crate::shared::seal::{self, State};
use crate::shared::thread::{StackBounds, Thread};

/// Forgets the calls that have been left by longjmp, as far as that can be told from code that runs at `sp`, from the
/// innermost outwards to the first that is alive.
pub(crate) fn forget_left_calls(thread: &Thread, sp: usize) {
    let calls = &thread.calls;
    let mut depth = calls.depth();
    while depth > 0 && !land::is_alive(thread, calls.get(depth - 1), sp) {
        depth -= 1;
    }
    calls.cut(depth);
}

/// Makes room for `more` entries.
pub(crate) fn make_room(thread: &Thread, more: usize) -> Result<(), Failure> {
    let calls = &thread.calls;
    let capacity = calls.capacity.load(Ordering::Relaxed);
    let wanted = calls.depth() + more;
    if wanted <= capacity {
        return Ok(());
    }
    let larger = wanted.max(2 * capacity);
    let memory = allocation::allocate_slice::<usize>(larger + 1)
        .map_err(|_| error::no_memory(format_args!("{larger} nested protected calls")))?;
    let entries: NonNull<AtomicUsize> = memory.cast();
    let depth = calls.depth();
    for index in 0..=larger {
        let value = match index {
            0 => BOTTOM,
            _ if index <= depth => calls.get(index - 1).addr(),
            _ => 0,
        };
        // SAFETY: within the new memory.
        unsafe { entries.add(index).write(AtomicUsize::new(value)) };
    }
    // A shutdown looks at the entries of other threads.
    let lock = list::lock();
    // SAFETY: within the new memory.
    let before = calls.entries.swap(unsafe { entries.as_ptr().add(1) }, Ordering::Relaxed);
    // After that, so that a signal handler of the host's that makes calls finds the room that there is said to be.
    compiler_fence(Ordering::SeqCst);
    calls.capacity.store(larger, Ordering::Relaxed);
    drop(lock);
    // SAFETY: nobody refers to them any more.
    unsafe { release(before, capacity) };
    Ok(())
}

/// Frees what `make_room` has allocated for a list.
///
/// # Safety
/// The list is not used any more.
pub(super) unsafe fn free_entries(calls: &Calls) {
    // SAFETY: the caller's promise.
    unsafe { release(calls.entries.load(Ordering::Relaxed), calls.capacity.load(Ordering::Relaxed)) };
}

/// # Safety
/// The entries of a list with that capacity, which nobody refers to.
unsafe fn release(entries: *mut AtomicUsize, capacity: usize) {
    // The first ones are in the record itself.
    if capacity > FIRST_CAPACITY
        && let Some(memory) = NonNull::new(entries.wrapping_sub(1).cast::<usize>())
    {
        // SAFETY: the caller's promise.
        unsafe { allocation::release_slice(memory, capacity + 1) };
    }
}

pub(crate) fn detach() -> Result<*mut wasmtrap_chain_t, Failure> {
    library::require_ready()?;
    let Some(thread) = current() else { return Ok(core::ptr::null_mut()) };
    let sp = arch::stack_pointer();
    forget_left_calls(thread, sp);
    relink(thread, sp);
    let innermost = thread.calls.innermost();
    runs::chain_is_detached(thread, sp);
    thread.calls.cut(0);
    thread.stack.set(thread.own_stack.get());
    if !innermost.is_null() {
        // SAFETY: it is alive.
        unsafe { seal::renew(innermost, true) };
    }
    Ok(innermost.cast())
}

/// Has each call lead to the next one out that is alive: calls in between may have been left since it was entered. From
/// here on the frames alone tell which calls the chain has.
fn relink(thread: &Thread, sp: usize) {
    let mut previous = core::ptr::without_provenance_mut::<Activation>(BOTTOM);
    for index in 0..thread.calls.depth() {
        let activation = thread.calls.get(index);
        if !land::is_alive(thread, activation, sp) {
            continue;
        }
        // SAFETY: it is alive.
        unsafe {
            if !core::ptr::eq((*activation).previous, previous) {
                (*activation).previous = previous;
                seal::renew(activation, false);
            }
        }
        previous = activation;
    }
}

/// How many calls a chain has.
///
/// # Safety
/// The frames of its calls can be read.
unsafe fn length(chain: *const Activation) -> usize {
    let mut length = 0;
    let mut link = chain;
    while !link.is_null() && link.addr() != BOTTOM {
        length += 1;
        // SAFETY: the caller's promise.
        link = unsafe { (*link).previous };
        // SAFETY: as above.
        if link.addr() != BOTTOM && unsafe { seal::state(link) } != State::Intact {
            break;
        }
    }
    length
}

/// # Safety
/// `chain` is null or came from `detach`, and its protected calls have not ended.
pub(crate) unsafe fn attach(chain: *mut wasmtrap_chain_t, stack: Option<&wasmtrap_stack_t>) -> Result<(), Failure> {
    library::require_ready()?;
    let bounds = stack.map(checked_bounds).transpose()?;
    let chain = chain.cast::<Activation>();
    // All that can be refused comes before the thread is attached.
    if let Some(thread) = current() {
        forget_left_calls(thread, arch::stack_pointer());
        if thread.calls.depth() != 0 {
            let innermost = thread.calls.innermost().addr();
            return Err(fail(
                WASMTRAP_ERR_BUSY,
                format_args!("the thread is inside the protected call at {innermost:#x}: detach its chain first"),
            ));
        }
    }
    // SAFETY: the caller's promise.
    unsafe { check(chain) }?;
    let thread = attach_thread()?;
    // SAFETY: the caller's promise.
    let length = unsafe { length(chain) };
    make_room(thread, length)?;
    if !chain.is_null() {
        // SAFETY: the caller's promise.
        unsafe { seal::renew(chain, false) };
    }
    thread.stack.set(bounds.unwrap_or(thread.own_stack.get()));
    let mut link = chain;
    for index in (0..length).rev() {
        thread.calls.set(index, link);
        // SAFETY: `length` has been there.
        link = unsafe { (*link).previous };
    }
    // Last, because from here on a trap lands in the chain.
    compiler_fence(Ordering::SeqCst);
    thread.calls.set_depth(length);
    runs::chain_is_attached(thread);
    Ok(())
}

/// Whether this is a chain that is on no thread.
///
/// # Safety
/// `chain` is null, or can be read as far as a frame of `wasmtrap_call` reaches.
unsafe fn check(chain: *const Activation) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    match if chain.is_null() { State::Detached } else { unsafe { seal::state(chain) } } {
        State::Detached => Ok(()),
        State::Intact => Err(fail(
            WASMTRAP_ERR_WRONG_THREAD,
            format_args!("chain {:#x} is attached to a thread already", chain.addr()),
        )),
        State::Broken => Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("chain {:#x} is no chain, or its innermost protected call has ended", chain.addr()),
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inside::land::tests::{Stack, WORDS, thread};

    #[test]
    fn a_list_that_grows_keeps_its_calls_and_has_nothing_else() {
        let mut stack = Stack::new();
        let calls: Vec<_> = (0..3).map(|index| stack.call(400 - 100 * index)).collect();
        let bounds = stack.bounds(0, WORDS);
        let thread = thread(bounds, bounds, &calls);
        let list = &thread.calls;
        for index in calls.len()..FIRST_CAPACITY {
            list.set(index, calls[0]);
        }
        let capacity = || list.capacity.load(Ordering::Relaxed);
        let make_room = |more| make_room(&thread, more).unwrap_or_else(|_| panic!("no memory"));
        make_room(FIRST_CAPACITY - calls.len());
        assert_eq!(capacity(), FIRST_CAPACITY, "there was room");
        for more in [FIRST_CAPACITY - calls.len() + 1, 100] {
            make_room(more);
            assert!(capacity() >= calls.len() + more);
            assert_eq!(list.depth(), calls.len());
            assert_eq!((0..calls.len()).map(|index| list.get(index)).collect::<Vec<_>>(), calls);
            assert!((calls.len()..capacity()).all(|index| list.get(index).is_null()));
            // SAFETY: what lies before the first entry.
            assert_eq!(unsafe { (*list.entries.load(Ordering::Relaxed).sub(1)).load(Ordering::Relaxed) }, BOTTOM);
        }
        // SAFETY: nobody uses it any more.
        unsafe { free_entries(list) };
    }

    #[test]
    fn bounds_of_a_stack_are_not_empty_and_do_not_wrap() {
        let is_stack = |low: usize, high: usize, guard_size| {
            let at = core::ptr::without_provenance_mut;
            let stack = wasmtrap_stack_t { struct_size: 0, low: at(low), high: at(high), guard_size };
            let Ok(StackBounds { low: lowest, high: highest, guard, margin, grows }) = checked_bounds(&stack) else {
                return false;
            };
            assert_eq!((lowest, highest, guard, margin, grows), (low, high, guard_size, guard_size, false));
            true
        };
        assert!(is_stack(0x1000, 0x1001, 0) && is_stack(0x1000, 0x2000, 0xfff) && is_stack(0x1000, 0x2000, 0x1000));
        assert!(!is_stack(0, 0x1000, 0) && !is_stack(0x1000, 0x1000, 0) && !is_stack(0x1000, 0xfff, 0));
        assert!(!is_stack(0x1000, 0x2000, 0x1001) && !is_stack(0x1000, 0x2000, usize::MAX));
    }
}
