//! Which calls a trap can land in, and what becomes of one, on stacks that are arrays.

use std::boxed::Box;

use super::*;
use crate::inside::decide::{Kind, RegionHit};
use crate::outside::exceptions;
use crate::shared::calls::Calls;
use crate::shared::{runs, seal};

pub(crate) const WORDS: usize = 1024;
const FRAME_WORDS: usize = arch::FRAME_SIZE / size_of::<u64>();

/// Memory for frames of protected calls.
#[repr(align(16))]
pub(crate) struct Stack(pub(crate) [u64; WORDS]);

impl Stack {
    pub(crate) fn new() -> Box<Self> {
        seal::tests::set_any_keys();
        Box::new(Self([0; WORDS]))
    }

    pub(crate) fn at(&self, index: usize) -> usize {
        self.0.as_ptr().wrapping_add(index).expose_provenance()
    }

    /// From one word to another.
    pub(crate) fn bounds(&self, low: usize, high: usize) -> StackBounds {
        StackBounds { low: self.at(low), high: self.at(high), guard: 0, margin: 0, grows: false }
    }

    /// A call's frame, the lowest word of which is that one.
    pub(crate) fn call(&mut self, index: usize) -> *mut Activation {
        assert!(index + FRAME_WORDS <= WORDS);
        let activation = core::ptr::with_exposed_provenance_mut::<Activation>(self.at(index));
        // SAFETY: within the array, and aligned.
        unsafe {
            (&raw mut (*activation).droppable).write(core::sync::atomic::AtomicU64::new(NOT_DROPPABLE));
            (&raw mut (*activation).run).write(core::sync::atomic::AtomicU64::new(0));
            seal::renew(activation, false);
        }
        activation
    }
}

/// A thread that runs on `stack`, was started on `own_stack`, and is in these calls, the outermost first.
pub(crate) fn thread(stack: StackBounds, own_stack: StackBounds, calls: &[*mut Activation]) -> Box<Thread> {
    let half = exceptions::new_thread_half().unwrap_or_else(|_| panic!("no part of the backend's"));
    let mut thread = Box::new(Thread::new(0, own_stack, 0, half));
    // SAFETY: it stays in its box.
    unsafe { Thread::settle(&raw mut *thread) };
    thread.stack.set(stack);
    let list: &Calls = &thread.calls;
    for (index, &call) in calls.iter().enumerate() {
        list.set(index, call);
    }
    list.set_depth(calls.len());
    thread
}

/// One stack, of half the array, with calls at these words.
fn on_one_stack(stack: &mut Stack, calls: &[usize]) -> Box<Thread> {
    let calls: Vec<_> = calls.iter().map(|&index| stack.call(index)).collect();
    let bounds = stack.bounds(0, WORDS / 2);
    thread(bounds, bounds, &calls)
}

#[test]
fn a_call_is_alive_at_or_above_the_stack_pointer() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[100]);
    let call = thread.calls.get(0);
    assert!(is_alive(&thread, call, stack.at(0)) && is_alive(&thread, call, stack.at(100)));
    assert!(!is_alive(&thread, call, stack.at(101)) && !is_alive(&thread, call, stack.at(WORDS / 2 - 1)));
    // Not on that stack any more: nothing is known of where it is.
    for elsewhere in [stack.at(WORDS / 2), stack.at(WORDS - 1), 8, usize::MAX - 7] {
        assert!(is_alive(&thread, call, elsewhere), "{elsewhere:#x}");
    }
}

#[test]
fn a_stack_is_one_with_what_lies_below_it() {
    let mut stack = Stack::new();
    let call = stack.call(100);
    for (guard, margin) in [(800, 0), (0, 800), (8, 800), (800, 8)] {
        let bounds = StackBounds { guard, margin, ..stack.bounds(101, WORDS) };
        let thread = thread(bounds, bounds, &[call]);
        assert!(is_alive(&thread, call, stack.at(1)), "{guard} {margin}");
        assert!(!is_alive(&thread, call, stack.at(101)), "{guard} {margin}");
    }
}

#[test]
fn each_of_the_two_stacks_tells() {
    let mut stack = Stack::new();
    let call = stack.call(100);
    let (here, there) = (stack.bounds(0, WORDS / 2), stack.bounds(WORDS / 2, WORDS));
    for (now, own) in [(here, there), (there, here)] {
        let thread = thread(now, own, &[call]);
        assert!(is_alive(&thread, call, stack.at(100)) && !is_alive(&thread, call, stack.at(101)));
        assert!(is_alive(&thread, call, stack.at(WORDS / 2)), "on the other one");
    }
}

#[test]
fn a_frame_that_is_none_is_not_alive() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[100]);
    let call = thread.calls.get(0);
    assert!(!is_alive(&thread, core::ptr::null(), stack.at(0)));
    for byte in 1..align_of::<Activation>() {
        assert!(!is_alive(&thread, call.wrapping_byte_add(byte), stack.at(0)));
    }
    // Nor where a stack is taken to begin at 0: nothing is read there.
    let everywhere = StackBounds { low: 0, ..stack.bounds(0, WORDS) };
    thread.own_stack.set(everywhere);
    assert!(!is_alive(&thread, core::ptr::null(), 0));
    // SAFETY: a frame's memory.
    unsafe { seal::renew(call, true) };
    assert!(!is_alive(&thread, call, stack.at(0)), "it is on no thread");
    // SAFETY: as above.
    unsafe { seal::take_off(call) };
    assert!(!is_alive(&thread, call, stack.at(0)), "it is over");
}

#[test]
fn on_an_unknown_stack_only_what_can_be_read_is_looked_at() {
    let thread = thread(StackBounds::default(), StackBounds::default(), &[]);
    let nowhere = core::ptr::without_provenance::<Activation>(align_of::<Activation>());
    assert!(!is_alive(&thread, nowhere, 0));
    let mut stack = Stack::new();
    assert!(is_alive(&thread, stack.call(100), 0));
}

#[test]
fn the_innermost_is_the_last_that_is_alive() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[300, 200, 100]);
    let call = |index| thread.calls.get(index).cast_const();
    assert_eq!(innermost(&thread, stack.at(0)), call(2));
    assert_eq!(innermost(&thread, stack.at(101)), call(1));
    assert_eq!(innermost(&thread, stack.at(201)), call(0));
    assert!(can_land(&thread, stack.at(300)));
    assert!(innermost(&thread, stack.at(301)).is_null() && !can_land(&thread, stack.at(301)));
    assert_eq!(landing_place(&thread, stack.at(201), 0, None).cast_const(), call(0));
    assert!(landing_place(&thread, stack.at(301), 0, None).is_null());
    thread.calls.set_depth(0);
    assert!(innermost(&thread, stack.at(0)).is_null());
}

#[test]
fn a_call_may_be_dropped_for_the_client_that_its_mark_names() {
    let mut stack = Stack::new();
    let call = stack.call(100);
    assert!(!may_be_dropped(core::ptr::null(), 0));
    assert!(!may_be_dropped(call, 0) && !may_be_dropped(call, u32::MAX));
    // SAFETY: a frame's memory.
    unsafe { &*call }.droppable.store(droppable_for(3), Ordering::Relaxed);
    assert!(may_be_dropped(call, 3));
    assert!(!may_be_dropped(call, 2) && !may_be_dropped(call, 4) && !may_be_dropped(call, 0));
}

/// Marks a call as that of a run, and returns that.
fn run(call: *mut Activation, place: usize) -> &'static runs::Run {
    let (index, run) = runs::tests::a_run(place);
    // SAFETY: a frame's memory.
    unsafe { &*call }.run.store(run.number(index), Ordering::Relaxed);
    run
}

#[test]
fn an_interrupt_is_taken_of_the_innermost_run_that_the_trap_leaves() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[400, 300, 200, 100]);
    let call = |index| thread.calls.get(index);
    let (outer, inner) = (run(call(1), 100), run(call(3), 101));
    assert_eq!(take_interrupt(&thread, call(3), stack.at(0)), None);
    assert!(outer.interrupt(7, 8));
    assert!(inner.interrupt(9, 10));
    assert_eq!(take_interrupt(&thread, call(0), stack.at(0)), None, "further out than both");
    assert_eq!(take_interrupt(&thread, core::ptr::null(), stack.at(0)), None);
    let taken = |landing| take_interrupt(&thread, landing, stack.at(0)).map(|taken| (taken.code, taken.payload));
    assert_eq!(taken(call(2)), Some((7, 8)));
    assert_eq!(taken(call(3)), Some((9, 10)));
    assert_eq!(take_interrupt(&thread, call(3), stack.at(0)), None);
    assert!(inner.interrupt(11, 12));
    assert_eq!(take_interrupt(&thread, call(3), stack.at(101)), None, "a run whose call is over");
    assert!(inner.cancel());
}

/// A thread that faulted, and where it goes on.
struct Faulted {
    sp: usize,
    reads_arguments: bool,
    resumed_at: Option<(usize, usize)>,
}

impl Machine for Faulted {
    fn sp(&self) -> usize {
        self.sp
    }
    fn fp(&self) -> usize {
        0
    }
    fn access(&self, _fault: &Fault) -> wasmtrap_access_t {
        WASMTRAP_ACCESS_WRITE
    }
    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        registers.pc = 4711;
    }
    fn set_registers(&mut self, _registers: &wasmtrap_registers_t) {}
    fn can_read_arguments(&self) -> bool {
        self.reads_arguments
    }
    fn resume_at(&mut self, pc: usize, sp: usize) {
        self.resumed_at = Some((pc, sp));
    }
}

const FAULT: Fault = Fault { from_kernel: true, kind: Kind::Memory, pc: 0x1234, address: Some(0x5678) };
const REGION: RegionHit = RegionHit {
    id: 3,
    user: 4,
    client: 5,
    offset: 6,
    code: WASMTRAP_CODE_NONE,
    accessible: false,
    accessible_code: WASMTRAP_CODE_NONE,
    any_pc: true,
};

/// What the record says if a fault at that stack pointer is made a trap; `None` if it is not.
fn trapped(thread: &Thread, sp: usize, findings: &Findings, reads_arguments: bool) -> Option<wasmtrap_trap_t> {
    let mut machine = Faulted { sp, reads_arguments, resumed_at: None };
    let cause = Cause { code: 7, source: WASMTRAP_SOURCE_FAULT, payload: 8 };
    let maker = Maker::its_thread(thread);
    let made = trap(thread, maker, cause, &mut machine, &FAULT, &Report::NONE, findings);
    assert_eq!(made, machine.resumed_at.is_some());
    let (pc, sp) = machine.resumed_at?;
    assert_eq!(pc, arch::landing());
    let mut read = crate::shared::pending::Read::NOTHING;
    thread.pending.read(core::ptr::without_provenance(sp), &mut read);
    Some(read.record)
}

#[test]
fn a_trap_has_a_record_and_goes_on_in_its_call() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[100]);
    let findings = Findings { region: Some(REGION), ..Findings::default() };
    let record = trapped(&thread, stack.at(50), &findings, true).expect("a trap");
    assert_eq!((record.code, record.payload, record.pc, record.sp), (7, 8, FAULT.pc, stack.at(50)));
    assert_eq!((record.access, record.registers.pc, record.fault_address), (WASMTRAP_ACCESS_WRITE, 4711, 0x5678));
    assert_eq!(record.flags, WASMTRAP_HAS_REGISTERS | WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGION);
    assert_eq!((record.region_id, record.region_user.addr(), record.region_offset), (3, 4, 6));
    assert!(trapped(&thread, stack.at(101), &findings, true).is_none(), "there is no call");
}

#[test]
fn frames_are_taken_where_they_are_wanted_or_it_cannot_be_known() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[100]);
    let count = |reads_arguments| {
        trapped(&thread, stack.at(50), &Findings::default(), reads_arguments).expect("a trap").frame_count
    };
    assert_eq!((count(true), count(false)), (0, 1));
    let mut frames = [0; 4];
    let mut wanted = EMPTY;
    let call = thread.calls.get(0);
    // SAFETY: a frame's memory.
    unsafe {
        (&raw mut (*call).trap).write(&raw mut wanted);
        seal::renew(call, false);
    }
    assert_eq!((count(true), count(false)), (0, 1), "a record without room for frames");
    wanted.frames = frames.as_mut_ptr();
    // SAFETY: as above; the record has changed.
    unsafe { (&raw mut (*call).trap).write(&raw mut wanted) };
    assert_eq!(count(true), 1);
}

#[test]
fn a_fault_by_its_region_alone_drops_only_a_call_that_says_so() {
    let mut stack = Stack::new();
    let thread = on_one_stack(&mut stack, &[100]);
    let alone = Findings { region: Some(REGION), by_any_pc: true, ..Findings::default() };
    assert!(trapped(&thread, stack.at(50), &alone, true).is_none());
    // SAFETY: a frame's memory.
    unsafe { &*thread.calls.get(0) }.droppable.store(droppable_for(REGION.client), Ordering::Relaxed);
    let record = trapped(&thread, stack.at(50), &alone, true).expect("a trap");
    assert_ne!(record.flags & WASMTRAP_BY_REGION_ALONE, 0);
    // SAFETY: as above.
    unsafe { &*thread.calls.get(0) }.droppable.store(droppable_for(REGION.client + 1), Ordering::Relaxed);
    assert!(trapped(&thread, stack.at(50), &alone, true).is_none());
    assert!(trapped(&thread, stack.at(50), &Findings { by_any_pc: false, ..alone }, true).is_some());
}

#[test]
fn findings_become_flags_and_fields() {
    let described = |findings: &Findings, fault: &Fault| {
        let mut record = EMPTY;
        describe(&mut record, fault, findings);
        record
    };
    let no_address = Fault { address: None, ..FAULT };
    assert_eq!(described(&Findings::default(), &no_address).flags, 0);
    let code = |site| CodeHit { id: 1, user: 2, client: 0, kinds: !0, offset: 9, strict: false, site };
    for (site, flags) in [
        (Site::NoTable, WASMTRAP_HAS_CODE),
        (Site::NotListed, WASMTRAP_HAS_CODE),
        (Site::Code(1), WASMTRAP_HAS_CODE | WASMTRAP_HAS_SITE),
    ] {
        let record = described(&Findings { code: Some(code(site)), ..Findings::default() }, &no_address);
        assert_eq!((record.flags, record.code_id, record.code_offset), (flags, 1, 9), "{site:?}");
        assert_eq!(record.code_user.addr(), 2);
    }
    let region = RegionHit { accessible: true, ..REGION };
    let record = described(&Findings { region: Some(region), ..Findings::default() }, &no_address);
    assert_eq!(record.flags, WASMTRAP_HAS_REGION | WASMTRAP_IN_ACCESSIBLE);
    let record = described(&Findings { stack_overflow: true, ..Findings::default() }, &no_address);
    assert_eq!(record.flags, WASMTRAP_HAS_STACK_GUARD);
    let record = described(&Findings { by_any_pc: true, ..Findings::default() }, &no_address);
    assert_eq!(record.flags, WASMTRAP_BY_REGION_ALONE);
}

/// Makes a trap whose record nobody reads. Signals cannot be blocked, so that the last record is never taken.
fn leave_a_trap(thread: &Thread, sp: usize) -> bool {
    let mut machine = Faulted { sp, reads_arguments: true, resumed_at: None };
    let cause = Cause { code: 7, source: WASMTRAP_SOURCE_FAULT, payload: 8 };
    let findings = Findings::default();
    trap(thread, Maker::its_thread(thread), cause, &mut machine, &FAULT, &Report::NONE, &findings)
}

#[test]
fn records_of_calls_that_are_over_are_free_again() {
    let mut stack = Stack::new();
    let all_but_the_last = |stack: &mut Stack| {
        let thread = on_one_stack(stack, &[500, 400, 300, 200, 100]);
        assert!([50, 150, 250].iter().all(|&sp| leave_a_trap(&thread, stack.at(sp))));
        thread
    };
    let thread = all_but_the_last(&mut stack);
    // Further in than the code that runs now.
    assert!(leave_a_trap(&thread, stack.at(350)), "calls that are not alive");
    let thread = all_but_the_last(&mut stack);
    thread.calls.cut(2);
    assert!(leave_a_trap(&thread, stack.at(50)), "calls that are on the list no more, whatever is in their frames");
}
