//! Making a trap of a fault: the record, and where the thread goes on.

use core::sync::atomic::Ordering;

use super::backtrace;
use super::decide::{CodeHit, Fault, Findings, Site};
use super::machine::{Machine, Report};
use super::signals::kernel;
use crate::arch;
use crate::shared::abi::*;
use crate::shared::activation::{Activation, NOT_DROPPABLE, droppable_for};
use crate::shared::last_lookup::Range;
use crate::shared::pending::PendingTraps;
use crate::shared::runs::{self, Taken};
use crate::shared::seal;
use crate::shared::thread::{StackBounds, Thread};

/// A trap record in which nothing is known.
pub(crate) const EMPTY: wasmtrap_trap_t = wasmtrap_trap_t {
    struct_size: size_of::<wasmtrap_trap_t>(),
    frames: core::ptr::null_mut(),
    frames_capacity: 0,
    frame_count: 0,
    code: WASMTRAP_CODE_NONE,
    source: WASMTRAP_SOURCE_FAULT,
    flags: 0,
    access: WASMTRAP_ACCESS_UNKNOWN,
    pc: 0,
    sp: 0,
    fp: 0,
    code_id: 0,
    code_user: core::ptr::null_mut(),
    code_offset: 0,
    fault_address: 0,
    region_id: 0,
    region_user: core::ptr::null_mut(),
    region_offset: 0,
    payload: 0,
    signal: 0,
    signal_code: 0,
    exception: 0,
    exception_code_count: 0,
    exception_codes: [0; 2],
    registers: wasmtrap_registers_t { general: [0; 32], pc: 0, flags: 0 },
};

/// Whether a protected call of `thread` is alive, for all that can be told from code that runs at `sp`.
///
/// A call that was left by longjmp is dead: its frame belongs to others, who may have written anything there. Landing
/// in it, and writing to it, would turn a fault into corruption. A call is dead
///
/// - if it is further in than the code that runs, on the same stack. Told only where both are on one known stack: code
///   may run on another stack than its call (an alternate signal stack, a coroutine's);
/// - if its frame is not what `wasmtrap_call` has left there (`shared::seal`).
pub(crate) fn is_alive(thread: &Thread, activation: *const Activation, sp: usize) -> bool {
    let place = activation.addr();
    if place == 0 || !place.is_multiple_of(align_of::<Activation>()) {
        return false;
    }
    let on = |stack: &StackBounds, address: usize| {
        stack.low.wrapping_sub(stack.guard.max(stack.margin)) <= address && address < stack.high
    };
    let stacks = [thread.stack.get(), thread.own_stack.get()];
    let same_stack = stacks.iter().any(|stack| on(stack, place) && on(stack, sp));
    if same_stack && sp > place {
        return false;
    }
    // What is above the stack pointer, or was used once on a stack that lasts as long as the thread, can be read. Any
    // other stack may be gone.
    let readable = same_stack || on(&thread.own_stack.get(), place) || kernel::can_read(place, arch::FRAME_SIZE);
    // SAFETY: it can be read.
    readable && unsafe { seal::state(activation) } == seal::State::Intact
}

/// The index of the protected call in which a trap of code that runs at `sp` can land: the innermost that is alive.
#[inline(always)]
fn innermost_alive(thread: &Thread, sp: usize) -> Option<usize> {
    alive_below(thread, thread.calls.depth(), sp)
}

/// The index of the innermost protected call that is alive among the `index` outermost.
#[inline(always)]
fn alive_below(thread: &Thread, mut index: usize, sp: usize) -> Option<usize> {
    while index > 0 {
        index -= 1;
        if is_alive(thread, thread.calls.get(index), sp) {
            return Some(index);
        }
    }
    None
}

/// The innermost protected call that is alive, for code that runs at `sp`; null if there is none.
pub(crate) fn innermost(thread: &Thread, sp: usize) -> *const Activation {
    innermost_alive(thread, sp).map_or(core::ptr::null(), |index| thread.calls.get(index))
}

/// Whether the host has said of this call, which is null or alive, that it may be dropped from any program counter for
/// a fault in this client's regions.
pub(crate) fn may_be_dropped(activation: *const Activation, client: wasmtrap_client_t) -> bool {
    // SAFETY: the frame of a call that is alive can be read.
    let word = unsafe { activation.as_ref() }.map_or(NOT_DROPPABLE, |call| call.droppable.load(Ordering::Relaxed));
    word == droppable_for(client)
}

/// Takes an interrupt of the innermost run that has one, of those that a trap in `landing` ends or leaves. `sp` is the
/// stack pointer of the code that runs.
pub(crate) fn take_interrupt(thread: &Thread, landing: *const Activation, sp: usize) -> Option<Taken> {
    let mut left = thread.calls.find(landing)? + 1;
    while let Some(index) = alive_below(thread, left, sp) {
        left = index;
        // SAFETY: the frame of a call that is alive can be read.
        let run = unsafe { (*thread.calls.get(index)).run.load(Ordering::Relaxed) };
        if run != 0
            && let Some(taken) = runs::take(run)
        {
            return Some(taken);
        }
    }
    None
}

/// Whether there is a protected call in which a trap of code that runs at `sp` can land.
#[inline(always)]
pub(crate) fn can_land(thread: &Thread, sp: usize) -> bool {
    innermost_alive(thread, sp).is_some()
}

/// The protected call in which a trap lands, null if there is none. `fp` is the frame pointer of the code that runs;
/// `overflow_at` the address at which its stack could not grow, if that is the fault.
#[inline(always)]
pub(crate) fn landing_place(thread: &Thread, sp: usize, fp: usize, overflow_at: Option<usize>) -> *mut Activation {
    match innermost_alive(thread, sp) {
        None => core::ptr::null_mut(),
        Some(0) => thread.calls.get(0),
        // A frame that nobody has written to since its call was left looks alive. The frames of the code that runs lead
        // to the call that it was called by.
        Some(index) => thread.calls.get(backtrace::passed_over(thread, index, sp, fp, overflow_at)),
    }
}

/// What the findings say in a record: flags first, then the fields that they announce.
#[inline(always)]
pub(crate) fn describe(record: &mut wasmtrap_trap_t, fault: &Fault, findings: &Findings) {
    if let Some(code) = &findings.code {
        describe_code(record, code);
    }
    if let Some(address) = fault.address {
        record.flags |= WASMTRAP_HAS_FAULT_ADDRESS;
        record.fault_address = address;
    }
    if let Some(region) = findings.region {
        record.flags |= WASMTRAP_HAS_REGION;
        record.region_id = region.id;
        record.region_user = region.user as *mut core::ffi::c_void;
        record.region_offset = region.offset;
        if region.accessible {
            record.flags |= WASMTRAP_IN_ACCESSIBLE;
        }
    }
    if findings.stack_overflow {
        record.flags |= WASMTRAP_HAS_STACK_GUARD;
    }
    if findings.by_any_pc {
        record.flags |= WASMTRAP_BY_REGION_ALONE;
    }
}

/// What a code range says of the program counter, in a record.
#[inline(always)]
pub(crate) fn describe_code(record: &mut wasmtrap_trap_t, code: &CodeHit) {
    let has_site = matches!(code.site, Site::Code(_));
    describe_range(record, &Range { id: code.id, user: code.user, offset: code.offset, has_site });
}

/// Adds a code range to a record.
pub(crate) fn describe_range(record: &mut wasmtrap_trap_t, range: &Range) {
    record.flags |= WASMTRAP_HAS_CODE;
    record.code_id = range.id;
    record.code_user = range.user as *mut core::ffi::c_void;
    record.code_offset = range.offset;
    if range.has_site {
        record.flags |= WASMTRAP_HAS_SITE;
    }
}

/// Adds the backtrace to a record of `thread` whose pc, sp, fp and flags are set.
pub(crate) fn add_frames(
    record: &mut wasmtrap_trap_t,
    frames: &mut [usize],
    thread: &Thread,
    activation: *const Activation,
) {
    let overflow_at = (record.flags & WASMTRAP_HAS_STACK_GUARD != 0).then_some(record.fault_address);
    let (count, truncated) =
        backtrace::walk(frames, record.pc, record.sp, record.fp, overflow_at, activation, &thread.stack.get());
    record.frame_count = count;
    if truncated {
        record.flags |= WASMTRAP_FRAMES_TRUNCATED;
    }
}

/// The same where the caller of wasmtrap_call wants the frames, if it does.
///
/// # Safety
/// `record` is what wasmtrap_call was given, which vouches for its frames.
pub(crate) unsafe fn add_frames_for_caller(
    record: &mut wasmtrap_trap_t,
    thread: &Thread,
    activation: *const Activation,
) {
    if record.frames.is_null() {
        return;
    }
    let capacity = record.frames_capacity.min(WASMTRAP_MAX_FRAMES);
    // SAFETY: the caller's promise.
    let frames = unsafe { core::slice::from_raw_parts_mut(record.frames, capacity) };
    add_frames(record, frames, thread, activation);
}

/// Whether the caller of wasmtrap_call wants a backtrace.
///
/// # Safety
/// `activation` is one that has not ended.
unsafe fn wants_frames(activation: *const Activation) -> bool {
    // SAFETY: the caller's promise; null or, by the contract of wasmtrap_call, valid during the call.
    unsafe { (*activation).trap.as_ref() }.is_some_and(|record| !record.frames.is_null())
}

/// Why a fault is a trap.
pub(crate) struct Cause {
    pub(crate) code: wasmtrap_code_t,
    pub(crate) source: u32,
    pub(crate) payload: u64,
}

/// Who makes a trap of a fault: the thread itself, or the backend's part while the thread waits in the kernel
/// (`inside::backend`), which has records of its own: if the waiting was interrupted, the thread has gone on by a
/// signal, and may just be reading what its handler wrote.
#[derive(Clone, Copy)]
pub(crate) struct Maker<'a> {
    /// Where the record is written.
    pub(crate) pending: &'a PendingTraps,
    /// Where the thread goes on, which tells whose record is read.
    pub(crate) landing: usize,
}

impl<'a> Maker<'a> {
    /// The thread itself.
    pub(crate) fn its_thread(thread: &'a Thread) -> Self {
        Self { pending: &thread.pending, landing: arch::landing() }
    }
}

/// Writes the record of a trap of `thread`, and lets the thread go on in its innermost protected call. False if there
/// is none, or no record (`shared::pending`).
///
/// The thread is this one, or it waits in the kernel until its exception is answered.
#[inline(always)]
pub(crate) fn trap(
    thread: &Thread,
    maker: Maker<'_>,
    cause: Cause,
    machine: &mut impl Machine,
    fault: &Fault,
    report: &Report,
    findings: &Findings,
) -> bool {
    let overflow_at = if findings.stack_overflow { fault.address } else { None };
    let activation = landing_place(thread, machine.sp(), machine.fp(), overflow_at);
    if activation.is_null() {
        return false;
    }
    // The decision has asked the innermost call; the frames of the code that runs may have led further out.
    if let (true, Some(region)) = (findings.by_any_pc, &findings.region)
        && !may_be_dropped(activation, region.client)
    {
        return false;
    }
    let sp = machine.sp();
    let is_over = |other: *const Activation| thread.calls.find(other).is_none() || !is_alive(thread, other, sp);
    let Some(pending) = maker.pending.take(activation, is_over, || machine.block_signals()) else { return false };
    // SAFETY: its maker's, and no other trap's. The thread is at the fault and not where it reads this record; and what
    // the server writes is read only after the answer by which the thread landed, while older messages of the same port
    // have been dealt with and newer ones are not sent yet.
    let pending = unsafe { &mut *pending };
    write(&mut pending.record, cause, machine, fault, report, findings);
    // SAFETY: a protected call that has not ended.
    if !machine.can_read_arguments() || unsafe { wants_frames(activation) } {
        add_frames(&mut pending.record, &mut pending.frames, thread, activation);
    }
    machine.resume_at(maker.landing, activation.addr());
    true
}

/// All of a record but what its reader sets, each field once: this is most of what the handler's own time goes to.
#[inline(always)]
fn write(
    record: &mut wasmtrap_trap_t,
    cause: Cause,
    machine: &impl Machine,
    fault: &Fault,
    report: &Report,
    findings: &Findings,
) {
    let access = if fault.address.is_some() { machine.access(fault) } else { WASMTRAP_ACCESS_UNKNOWN };
    let wasmtrap_trap_t {
        struct_size: _,
        frames: _,
        frames_capacity: _,
        frame_count,
        code,
        source,
        flags,
        access: how,
        pc,
        sp,
        fp,
        code_id,
        code_user,
        code_offset,
        fault_address,
        region_id,
        region_user,
        region_offset,
        payload,
        signal,
        signal_code,
        exception,
        exception_code_count,
        exception_codes,
        registers,
    } = record;
    (*code_id, *code_user, *code_offset) = (0, core::ptr::null_mut(), 0);
    (*region_id, *region_user, *region_offset) = (0, core::ptr::null_mut(), 0);
    (*frame_count, *flags, *fault_address) = (0, WASMTRAP_HAS_REGISTERS, 0);
    (*code, *source, *payload) = (cause.code, cause.source, cause.payload);
    (*how, *pc, *sp, *fp) = (access, fault.pc, machine.sp(), machine.fp());
    (*signal, *signal_code) = (report.signal, report.signal_code);
    (*exception, *exception_code_count) = (report.exception, report.exception_code_count);
    *exception_codes = report.exception_codes;
    machine.write_registers(registers);
    describe(record, fault, findings);
}

#[cfg(test)]
#[path = "land_tests.rs"]
pub(crate) mod tests;
