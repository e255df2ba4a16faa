//! What a walk reads, and where it ends, on a stack that is an array; and which calls frames lead past.

use std::vec::Vec;

use super::{passed_over, walk};
use crate::arch;
use crate::inside::land;
use crate::shared::activation::Activation;
use crate::shared::thread::{StackBounds, Thread};

/// The largest page there is (`shared::state`).
const PAGE: usize = 0x1_0000;
const WORDS: usize = 3 * PAGE / size_of::<usize>();
const PC: usize = 0x1234_5678;

/// A stack with the protected call's activation at its last word but 16.
struct Stack {
    words: Vec<usize>,
}

impl Stack {
    fn new() -> Self {
        Self { words: vec![0; WORDS] }
    }

    fn at(&self, index: usize) -> usize {
        self.words.as_ptr().wrapping_add(index).expose_provenance()
    }

    /// The first word at the start of a page of any size.
    fn page_start(&self) -> usize {
        (self.at(0).next_multiple_of(PAGE) - self.at(0)) / size_of::<usize>()
    }

    fn end(&self) -> usize {
        WORDS - 16
    }

    fn activation(&self) -> *const Activation {
        core::ptr::with_exposed_provenance(self.at(self.end()))
    }

    /// A frame's record at a word, which leads to `outer`. Its return address is the word's number.
    fn record(&mut self, index: usize, outer: usize) {
        self.words[index] = outer;
        self.words[index + 1] = 4 * index;
    }

    fn bounds(&self) -> StackBounds {
        StackBounds { low: self.at(0), high: self.at(WORDS), guard: 0, margin: 0, grows: false }
    }

    fn walk(&self, sp: usize, fp: usize, overflow_at: Option<usize>, room: usize) -> (Vec<usize>, bool) {
        let mut frames = vec![0; room];
        let (count, truncated) = walk(&mut frames, PC, sp, fp, overflow_at, self.activation(), &self.bounds());
        frames.truncate(count);
        (frames, truncated)
    }

    /// Without an overflow, from the lowest address, with room enough.
    fn frames(&self, fp: usize) -> Vec<usize> {
        let (frames, truncated) = self.walk(self.at(0), fp, None, 64);
        assert!(!truncated);
        frames
    }
}

fn address(index: usize) -> usize {
    4 * index
}

#[test]
fn a_walk_ends_in_the_frame_of_the_call() {
    let mut stack = Stack::new();
    let frame = arch::call_frame(stack.activation());
    stack.record(10, stack.at(20));
    stack.record(20, stack.at(30));
    stack.record(30, frame);
    assert_eq!(stack.frames(stack.at(10)), [PC, address(10), address(20)]);
    assert_eq!(stack.walk(stack.at(0), stack.at(10), None, 3), (vec![PC, address(10), address(20)], false));
    assert_eq!(stack.walk(stack.at(0), stack.at(10), None, 2), (vec![PC, address(10)], true));
    assert_eq!(stack.walk(stack.at(0), stack.at(10), None, 0), (vec![], true));
}

#[test]
fn a_record_lies_between_the_stack_pointer_and_the_call() {
    let mut stack = Stack::new();
    stack.record(10, 0);
    assert_eq!(stack.walk(stack.at(10), stack.at(10), None, 9).0, [PC, address(10)]);
    assert_eq!(stack.walk(stack.at(11), stack.at(10), None, 9).0, [PC]);
    let end = stack.end();
    stack.record(end - 2, 0);
    assert_eq!(stack.frames(stack.at(end - 2)), [PC, address(end - 2)]);
    stack.record(end - 1, 0);
    assert_eq!(stack.frames(stack.at(end - 1)), [PC]);
    stack.record(end, 0);
    assert_eq!(stack.frames(stack.at(end)), [PC]);
    for nowhere in [0, 8, usize::MAX - 7, usize::MAX - 15, usize::MAX] {
        assert_eq!(stack.frames(nowhere), [PC], "{nowhere:#x}");
    }
}

#[test]
fn a_record_is_aligned() {
    let mut stack = Stack::new();
    stack.record(10, 0);
    for byte in 1..size_of::<usize>() {
        assert_eq!(stack.frames(stack.at(10) + byte), [PC]);
    }
}

#[test]
fn each_record_lies_further_out_than_the_one_before() {
    let mut stack = Stack::new();
    stack.record(5, 0);
    for outer in [5, 9, 10, 11] {
        stack.record(10, stack.at(outer));
        assert_eq!(stack.frames(stack.at(10)), [PC, address(10)], "{outer}");
    }
    stack.record(10, stack.at(12));
    stack.record(12, 0);
    assert_eq!(stack.frames(stack.at(10)), [PC, address(10), address(12)]);
}

#[test]
fn nothing_is_read_of_the_page_that_an_overflow_could_not_have() {
    let mut stack = Stack::new();
    let page = stack.page_start();
    let next = page + PAGE / size_of::<usize>();
    stack.record(page + 4, 0);
    stack.record(next, 0);
    let overflow = Some(stack.at(page + 1));
    assert_eq!(stack.walk(stack.at(page), stack.at(page + 4), overflow, 9).0, [PC]);
    assert_eq!(stack.walk(stack.at(page), stack.at(next), overflow, 9).0, [PC, address(next)]);
    assert_eq!(stack.walk(stack.at(page), stack.at(page + 4), None, 9).0, [PC, address(page + 4)]);
    // Wherever in the page it was.
    let middle = page + PAGE / size_of::<usize>() / 2;
    stack.record(middle + 4, 0);
    assert_eq!(stack.walk(stack.at(page), stack.at(middle + 4), Some(stack.at(middle)), 9).0, [PC]);
    // Where the stack pointer is above that page, it counts.
    stack.record(next + 8, 0);
    assert_eq!(stack.walk(stack.at(next + 4), stack.at(next), overflow, 9).0, [PC]);
    assert_eq!(stack.walk(stack.at(next + 4), stack.at(next + 8), overflow, 9).0, [PC, address(next + 8)]);
}

#[test]
fn only_the_stack_of_the_call_is_read() {
    let mut stack = Stack::new();
    stack.record(10, 0);
    // The code runs further out than the call.
    assert_eq!(stack.walk(stack.at(stack.end() + 1), stack.at(10), None, 9).0, [PC]);
    assert_eq!(stack.walk(stack.at(stack.end()), stack.at(10), None, 9).0, [PC]);
    // The call is on another stack.
    let elsewhere = StackBounds { low: stack.at(0), high: stack.at(stack.end()), guard: 0, margin: 0, grows: false };
    let mut frames = [0; 9];
    let end = walk(&mut frames, PC, stack.at(0), stack.at(10), None, stack.activation(), &elsewhere);
    assert_eq!((end, frames[0]), ((1, false), PC));
    // The stack pointer is below that stack.
    let mut stack = Stack::new();
    stack.record(10, 0);
    let higher = StackBounds { low: stack.at(12), ..stack.bounds() };
    let end = walk(&mut frames, PC, stack.at(0), stack.at(10), None, stack.activation(), &higher);
    assert_eq!((end, frames[0]), ((1, false), PC));
}

/// Calls at words 400, 300 and 200, and a frame's record at word 10 that leads to that address.
fn passed_by(stack: &mut land::tests::Stack, outer: usize) -> Box<Thread> {
    let calls = [400, 300, 200].map(|index| stack.call(index));
    stack.0[10] = outer as u64;
    let bounds = stack.bounds(0, land::tests::WORDS);
    land::tests::thread(bounds, bounds, &calls)
}

/// Where the frames lead from the record at word 10, for a trap that would land in the call with that index.
fn led_to(stack: &land::tests::Stack, thread: &Thread, index: usize, overflow_at: Option<usize>) -> usize {
    passed_over(thread, index, stack.at(0), stack.at(10), overflow_at)
}

fn call_frame(thread: &Thread, index: usize) -> usize {
    arch::call_frame(thread.calls.get(index))
}

#[test]
fn frames_lead_past_calls_that_were_left() {
    let mut stack = land::tests::Stack::new();
    for (target, expected) in [(2, 2), (1, 1), (0, 0)] {
        let frame = call_frame(&passed_by(&mut stack, 0), target);
        let thread = passed_by(&mut stack, frame);
        assert_eq!(led_to(&stack, &thread, 2, None), expected);
        // By a second record, which lies further out than calls that were left.
        let between = if target == 0 { 350 } else { 100 };
        let further_out = stack.at(between);
        let thread = passed_by(&mut stack, further_out);
        stack.0[between] = frame as u64;
        assert_eq!(led_to(&stack, &thread, 2, None), expected);
        // The code's own frame pointer is that of the call.
        assert_eq!(passed_over(&thread, 2, stack.at(0), call_frame(&thread, 2), None), 2);
    }
}

#[test]
fn a_way_that_ends_elsewhere_leads_nowhere() {
    let mut stack = land::tests::Stack::new();
    let outermost = call_frame(&passed_by(&mut stack, 0), 0);
    let middle = call_frame(&passed_by(&mut stack, 0), 1);
    for elsewhere in [0, 8, outermost + 8, outermost - 8, middle + 8, middle - 8, middle + 1, stack.at(10), stack.at(9)]
    {
        let thread = passed_by(&mut stack, elsewhere);
        assert_eq!(led_to(&stack, &thread, 2, None), 2, "{elsewhere:#x}");
    }
}

#[test]
fn a_way_is_followed_only_where_it_can_be_read() {
    let mut stack = land::tests::Stack::new();
    let frame = call_frame(&passed_by(&mut stack, 0), 1);
    let thread = passed_by(&mut stack, frame);
    assert_eq!(led_to(&stack, &thread, 2, None), 1);
    assert_eq!(led_to(&stack, &thread, 2, Some(stack.at(0))), 2, "in the page of an overflow");
    let from = |sp: usize, fp: usize| passed_over(&thread, 2, sp, fp, None);
    assert_eq!(from(stack.at(10), stack.at(10)), 1);
    assert_eq!(from(stack.at(11), stack.at(10)), 2, "below the stack pointer");
    assert_eq!(from(stack.at(0), stack.at(10) + 4), 2, "not aligned");
    assert_eq!(from(stack.at(0), call_frame(&thread, 2) + 8), 2, "begins further out than the call");
    assert_eq!(from(stack.at(0), call_frame(&thread, 1)), 2, "begins in a frame further out");
    // Further out than the outermost call, or on another stack.
    assert_eq!(from(stack.at(400), stack.at(10)), 2);
    thread.stack.set(stack.bounds(0, 400));
    assert_eq!(led_to(&stack, &thread, 2, None), 2);
}

#[test]
fn a_call_that_was_left_is_led_to_by_nothing() {
    let mut stack = land::tests::Stack::new();
    let frame = call_frame(&passed_by(&mut stack, 0), 1);
    let thread = passed_by(&mut stack, frame);
    // SAFETY: a frame's memory.
    unsafe { crate::shared::seal::take_off(thread.calls.get(1)) };
    assert_eq!(led_to(&stack, &thread, 2, None), 2);
    // Of the call itself nobody asks: that it is alive is known.
    let frame = call_frame(&thread, 2);
    let thread = passed_by(&mut stack, frame);
    // SAFETY: as above.
    unsafe { crate::shared::seal::take_off(thread.calls.get(2)) };
    assert_eq!(led_to(&stack, &thread, 2, None), 2);
}
