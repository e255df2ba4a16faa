//! Marks: for hosts whose errors are longjmps, a note of the protected calls that a thread is in, and the way back to
//! it.

use super::{attach, chains, current};
use crate::arch;
use crate::inside::land;
use crate::outside::error::{Failure, fail};
use crate::outside::library;
use crate::shared::abi::*;
use crate::shared::seal;
use crate::shared::thread::{StackBounds, Thread};

/// In the word of a stack's margin, which is smaller: the stack grows.
const GROWS: u64 = 1 << 63;

/// What the words of a mark say.
struct Mark {
    thread: u64,
    depth: usize,
    innermost: usize,
    stack: StackBounds,
}

impl Mark {
    fn write(&self) -> wasmtrap_mark_t {
        let Self { thread, depth, innermost, stack: StackBounds { low, high, guard, margin, grows } } = *self;
        let margin = margin as u64 | if grows { GROWS } else { 0 };
        let mut words = [thread, depth as u64, innermost as u64, low as u64, high as u64, guard as u64, margin, 0];
        let [noted @ .., sealed] = &mut words;
        *sealed = seal::of_words(noted);
        wasmtrap_mark_t { words }
    }

    fn read(mark: &wasmtrap_mark_t) -> Result<Self, Failure> {
        let [words @ .., sealed] = mark.words;
        if seal::of_words(&words) != sealed {
            return Err(fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!(
                    "mark {:#x} is none that wasmtrap_mark has written in this process: its first word is {:#x}",
                    core::ptr::from_ref(mark).addr(),
                    words[0]
                ),
            ));
        }
        let [thread, depth, innermost, low, high, guard, margin] = words;
        let stack = StackBounds {
            low: low as usize,
            high: high as usize,
            guard: guard as usize,
            margin: (margin & !GROWS) as usize,
            grows: margin & GROWS != 0,
        };
        Ok(Self { thread, depth: depth as usize, innermost: innermost as usize, stack })
    }
}

/// Notes which protected calls this thread is in.
pub(crate) fn mark() -> Result<wasmtrap_mark_t, Failure> {
    library::require_ready()?;
    let thread = attach()?;
    chains::forget_left_calls(thread, arch::stack_pointer());
    let calls = &thread.calls;
    let (depth, innermost) = (calls.depth(), calls.innermost().addr());
    Ok(Mark { thread: thread.serial, depth, innermost, stack: thread.stack.get() }.write())
}

/// Forgets all protected calls that were entered since.
pub(crate) fn unwind_to(given: &wasmtrap_mark_t) -> Result<(), Failure> {
    library::require_ready()?;
    let mark = Mark::read(given)?;
    let place = core::ptr::from_ref(given).addr();
    let Some(thread) = current().filter(|thread| thread.serial == mark.thread) else {
        return Err(fail(
            WASMTRAP_ERR_WRONG_THREAD,
            format_args!("mark {place:#x} was made on another thread, or before this one was detached"),
        ));
    };
    if !still_holds(thread, &mark) {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!(
                "mark {place:#x} was made in the protected call at {:#x}, which has ended or is on no thread now",
                mark.innermost
            ),
        ));
    }
    thread.calls.cut(mark.depth);
    thread.stack.set(mark.stack);
    Ok(())
}

/// Whether the call in which the mark was made is still there.
fn still_holds(thread: &Thread, mark: &Mark) -> bool {
    let calls = &thread.calls;
    mark.depth == 0
        || (calls.depth() >= mark.depth
            && calls.get(mark.depth - 1).addr() == mark.innermost
            && land::is_alive(thread, calls.get(mark.depth - 1), arch::stack_pointer()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inside::land::tests::{Stack, WORDS, thread};

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        seal::tests::set_any_keys();
        for grows in [false, true] {
            let stack = StackBounds { low: 0x1000, high: 0x9000, guard: 0x2000, margin: 0x3450, grows };
            let mark = Mark { thread: 7, depth: 3, innermost: 0x8000, stack };
            let Ok(read) = Mark::read(&mark.write()) else { panic!("it is refused") };
            assert_eq!((read.thread, read.depth, read.innermost), (7, 3, 0x8000));
            let StackBounds { low, high, guard, margin, grows: grows_still } = read.stack;
            assert_eq!((low, high, guard, margin, grows_still), (0x1000, 0x9000, 0x2000, 0x3450, grows));
        }
    }

    #[test]
    fn a_mark_holds_for_the_call_that_it_was_made_in() {
        let mut stack = Stack::new();
        let call = stack.call(200);
        let bounds = stack.bounds(0, WORDS);
        let thread = thread(bounds, bounds, &[call]);
        let holds = |depth, innermost| still_holds(&thread, &Mark { thread: 0, depth, innermost, stack: bounds });
        assert!(holds(1, call.addr()));
        assert!(!holds(1, call.addr() + 16), "another call at that depth");
        assert!(!holds(2, call.addr()), "a call less than there were");
        assert!(holds(0, 0), "outside of all calls");
    }
}
