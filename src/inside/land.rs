//! Making a trap of a fault: the record, and where the thread goes on.

use core::sync::atomic::Ordering;

use super::backtrace;
use super::decide::{CodeHit, Fault, Findings, Site};
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::thread::{PendingTrap, Thread};

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

/// The innermost protected call of a thread, null outside of any.
pub(crate) fn innermost(thread: &Thread) -> *mut Activation {
    thread.chain.load(Ordering::Relaxed)
}

/// The protected call in which a trap of code that runs at `sp` can land, null if there is none.
///
/// A call that is further in than the code that runs was left by longjmp; its frame is gone, and landing in it would
/// turn a fault into corruption. Told only where both are on one known stack.
pub(crate) fn landing_place(thread: &Thread, sp: usize) -> *mut Activation {
    let activation = innermost(thread);
    let stack = thread.stack.get();
    let stale = stack.contains(sp) && stack.contains(activation.addr()) && sp > activation.addr();
    if stale { core::ptr::null_mut() } else { activation }
}

/// What the findings say in a record: flags first, then the fields that they announce.
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
    }
    if findings.stack_overflow {
        record.flags |= WASMTRAP_HAS_STACK_GUARD;
    }
}

/// What a code range says of the program counter, in a record.
pub(crate) fn describe_code(record: &mut wasmtrap_trap_t, code: &CodeHit) {
    record.flags |= WASMTRAP_HAS_CODE;
    record.code_id = code.id;
    record.code_user = code.user as *mut core::ffi::c_void;
    record.code_offset = code.offset;
    if matches!(code.site, Site::Code(_)) {
        record.flags |= WASMTRAP_HAS_SITE;
    }
}

/// Adds the backtrace to a record of `thread` whose pc, sp, fp and flags are set.
pub(crate) fn add_frames(pending: &mut PendingTrap, thread: &Thread, activation: *const Activation) {
    let record = &mut pending.record;
    let overflow_at = (record.flags & WASMTRAP_HAS_STACK_GUARD != 0).then_some(record.fault_address);
    let (pc, sp, fp) = (record.pc, record.sp, record.fp);
    let (count, truncated) =
        backtrace::walk(&mut pending.frames, pc, sp, fp, overflow_at, activation, &thread.stack.get());
    pending.frame_count = count;
    if truncated {
        record.flags |= WASMTRAP_FRAMES_TRUNCATED;
    }
}
