//! Whether code was called by the embedder's fault handler, on stacks that are arrays.

use super::*;
use crate::inside::land::tests::{Stack, WORDS, thread};
use crate::shared::thread::StackBounds;

/// As far as a handler may get from the asking on a stack that nobody knows.
const NEAR: usize = 256 * 1024;
const MARK: u64 = 4711;
/// The word of the array in which the asking has its mark.
const AT: usize = WORDS / 2;

/// A thread that runs on that stack and is asking, with the mark in its place.
fn asking_thread(stack: &mut Stack, bounds: StackBounds) -> Box<Thread> {
    stack.0[AT] = MARK;
    let thread = thread(bounds, bounds, &[]);
    thread.asking.set(Asking { at: stack.at(AT), mark: MARK, mask: Some(7), ..Asking::NOBODY });
    thread
}

fn called(thread: &Thread, sp: usize, signal_stack: Option<SignalStack>) -> bool {
    has_called(thread, &thread.asking.get(), sp, signal_stack)
}

#[test]
fn code_further_in_than_the_asking_was_called_by_it() {
    let mut stack = Stack::new();
    let bounds = stack.bounds(0, WORDS);
    let thread = asking_thread(&mut stack, bounds);
    assert!(called(&thread, stack.at(0), None) && called(&thread, stack.at(AT - 1), None));
    assert!(!called(&thread, stack.at(AT), None), "the asking itself");
    assert!(!called(&thread, stack.at(AT + 1), None));
    assert!(!called(&thread, stack.at(0) - 1, None), "below the stack");
    thread.asking.set(Asking { mark: MARK + 1, ..thread.asking.get() });
    assert!(!called(&thread, stack.at(0), None), "others have written there since");
    thread.asking.set(Asking { mark: 0, ..Asking::NOBODY });
    assert!(!called(&thread, stack.at(0), None));
}

#[test]
fn what_lies_below_a_stack_is_part_of_it() {
    let mut stack = Stack::new();
    let bounds = stack.bounds(AT - 10, WORDS);
    for (guard, margin) in [(80, 0), (0, 80), (80, 8), (8, 80)] {
        let thread = asking_thread(&mut stack, StackBounds { guard, margin, ..bounds });
        assert!(called(&thread, stack.at(AT - 20), None), "{guard} {margin}");
        assert!(!called(&thread, stack.at(AT - 20) - 1, None), "{guard} {margin}");
    }
}

#[test]
fn on_the_signal_stack_an_overflow_ends_just_below() {
    let mut stack = Stack::new();
    let thread = asking_thread(&mut stack, StackBounds::default());
    let base = stack.at(AT - 20);
    for (size, on_it) in [(20 * 8 + 1, true), (20 * 8, false), (0, false)] {
        let signal_stack = Some(SignalStack { base, size });
        assert_eq!(called(&thread, base - NEAR, signal_stack), on_it, "{size}");
        assert!(!called(&thread, base - NEAR - 1, signal_stack));
        assert!(called(&thread, base, signal_stack));
    }
}

#[test]
fn on_an_unknown_stack_only_what_is_near() {
    let mut stack = Stack::new();
    let thread = asking_thread(&mut stack, StackBounds::default());
    let at = stack.at(AT);
    assert!(called(&thread, at - 1, None) && called(&thread, at - NEAR + 1, None));
    assert!(!called(&thread, at - NEAR, None));
}

#[test]
fn where_nothing_can_be_read_there_is_no_asking() {
    let thread = thread(StackBounds::default(), StackBounds::default(), &[]);
    thread.asking.set(Asking { at: 64, ..Asking::NOBODY });
    assert!(!called(&thread, 32, None));
}

#[test]
fn a_raise_leaves_the_handler_unless_it_lands_in_a_call_of_its_own() {
    let mut stack = Stack::new();
    let bounds = stack.bounds(0, WORDS);
    let thread = asking_thread(&mut stack, bounds);
    let sp = stack.at(10);
    let call = |index: usize| core::ptr::without_provenance::<Activation>(stack.at(index));
    assert_eq!(left_by_raise(&thread, sp, call(AT - 1)), None, "the handler's own call");
    assert_eq!(left_by_raise(&thread, stack.at(AT - 1), call(AT - 1)), None, "by a jump, without a frame");
    assert_eq!(left_by_raise(&thread, stack.at(AT + 1), call(AT + 2)), None, "the handler is not running");
    assert_ne!(thread.asking.get().at, 0);
    assert_eq!(left_by_raise(&thread, sp, call(AT + 1)), Some(7));
    assert_eq!(thread.asking.get().at, 0, "it has been left");
    assert_eq!(left_by_raise(&thread, sp, call(AT + 1)), None);
    // On another stack, be it at lower addresses.
    let thread = asking_thread(&mut stack, bounds);
    let lower = core::ptr::without_provenance::<Activation>(stack.at(0) - 4096);
    assert_eq!(left_by_raise(&thread, sp, lower), Some(7));
}

#[test]
fn a_frame_that_asks_has_its_mark_until_it_ends() {
    crate::shared::seal::tests::set_any_keys();
    let mut context = 5_u64;
    let link = &raw mut context;
    let mut frame = core::mem::ManuallyDrop::new(Frame::new(link));
    let place: *const u64 = &raw const frame.mark;
    // SAFETY: dropped once; it has no memory of its own, and words are read.
    unsafe {
        assert_ne!(link.read_volatile(), 5);
        core::mem::ManuallyDrop::drop(&mut frame);
        assert_eq!(place.read_volatile(), 0);
        assert_eq!(link.read_volatile(), 5, "the context is as it was");
    }
}

#[test]
fn what_the_kernel_has_written_over_tells_that_the_asking_was_left() {
    let mut stack = Stack::new();
    let bounds = stack.bounds(0, WORDS);
    let thread = asking_thread(&mut stack, bounds);
    let mut context = MARK;
    let place = &raw mut context;
    thread.asking.set(Asking { link: place.expose_provenance(), ..thread.asking.get() });
    assert!(called(&thread, stack.at(0), None));
    // SAFETY: the variable above. The kernel has no link to write.
    unsafe { place.write_volatile(0) };
    assert!(!called(&thread, stack.at(0), None));
    thread.asking.set(Asking { link: 64, ..thread.asking.get() });
    assert!(!called(&thread, stack.at(0), None), "it is gone");
}
