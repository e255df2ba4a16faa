//! Where exceptions arrive: reads the fault, has it decided, applies the verdict.

use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering;

use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, EXCEPTION_POINTERS, EXCEPTION_RECORD};

use super::context::Context;
use super::{classify, engines};
use crate::arch;
use crate::inside::ask::{self, SignalStack};
use crate::inside::decide::{Fault, Verdict, decide};
use crate::inside::machine::{Machine, Report};
use crate::inside::tables::Live;
use crate::inside::{backend, interrupt, land};
use crate::shared::abi::*;
use crate::shared::runs::Taken;
use crate::shared::state;
use crate::shared::thread::ATTENTION_INTERRUPT;

/// What a vectored handler returns (<excpt.h>).
pub(super) const EXCEPTION_CONTINUE_EXECUTION: i32 = -1;
const EXCEPTION_CONTINUE_SEARCH: i32 = 0;

/// Where an exception's record has room that nobody reads: the last of its parameters, of which the exceptions that are
/// taken here have three at most.
const MARK_PLACE: usize = 14;
/// What says there that the library has had the thread go on: an address that is nobody else's.
static MARK: u8 = 0;

/// The handler runs on the stack that it finds, so that there is no other.
const NO_OTHER_STACK: SignalStack = SignalStack { base: 0, size: 0 };

/// The vectored exception handler.
pub(crate) unsafe extern "system" fn vectored(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: ntdll vouches for it and for what it points to until this returns.
    let Some(pointers) = (unsafe { pointers.as_ref() }) else { return EXCEPTION_CONTINUE_SEARCH };
    // Records are on the thread's stack, each where an earlier one may have been.
    take_mark(pointers);
    // SAFETY: as above.
    if !unsafe { look(pointers.ExceptionRecord, pointers.ContextRecord, engines::come_in) } {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    // SAFETY: as above.
    let record = unsafe { pointers.ExceptionRecord.as_mut() };
    if let Some(place) = record.and_then(|record| record.ExceptionInformation.get_mut(MARK_PLACE)) {
        *place = (&raw const MARK).addr();
    }
    EXCEPTION_CONTINUE_EXECUTION
}

/// The vectored continue handler. Windows asks those once a vectored handler has had a thread go on, until one of them
/// says that it does; Go's last one ends the process about every exception that is none of Go's (lastcontinuehandler,
/// src/runtime/signal_windows.go, also in programs that only contain Go). So this one says it, about the library's.
pub(crate) unsafe extern "system" fn goes_on(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: as for the other handler.
    let is_ours = unsafe { pointers.as_ref() }.is_some_and(take_mark);
    if is_ours { EXCEPTION_CONTINUE_EXECUTION } else { EXCEPTION_CONTINUE_SEARCH }
}

/// Takes the mark off an exception's record: whether it was there.
fn take_mark(pointers: &EXCEPTION_POINTERS) -> bool {
    // SAFETY: ntdll vouches for the record while a handler runs.
    let record = unsafe { pointers.ExceptionRecord.as_mut() };
    let Some(place) = record.and_then(|record| record.ExceptionInformation.get_mut(MARK_PLACE)) else { return false };
    let is_there = *place == (&raw const MARK).addr();
    if is_there {
        *place = 0;
    }
    is_there
}

/// Leaves everything to others: for an entry of ours that is to show what the list looks like.
pub(crate) unsafe extern "system" fn passes_on(_pointers: *mut EXCEPTION_POINTERS) -> i32 {
    EXCEPTION_CONTINUE_SEARCH
}

/// For hosts with exception handlers of their own: false if the exception is not ours. The first argument, a signal's
/// number elsewhere, says nothing here.
///
/// # Safety
/// The pointers are null, or an exception's record and context, or to zeroed structures.
pub(crate) unsafe fn try_handle(_signal: c_int, record: *mut c_void, context: *mut c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { look(record.cast(), context.cast(), handle) }
}

/// # Safety
/// As for `try_handle`.
#[inline(always)] // so that the built library shows what is called
unsafe fn look(
    record: *mut EXCEPTION_RECORD,
    context: *mut CONTEXT,
    handle: impl FnOnce(&mut EXCEPTION_RECORD, &mut CONTEXT) -> bool,
) -> bool {
    if state::ARMED_KINDS.load(Ordering::Relaxed) == 0 {
        return false;
    }
    // SAFETY: the caller's promise.
    match unsafe { (record.as_mut(), context.as_mut()) } {
        (Some(record), Some(context)) => handle(record, context),
        _ => false,
    }
}

/// The library's own part: its tables, and the fault handlers.
pub(super) fn handle(record: &mut EXCEPTION_RECORD, context: &mut CONTEXT) -> bool {
    // What the exception says first: its context is not looked at for one that is nobody's trap.
    let Some(seen) = classify::classify(record) else { return false };
    let report = Report {
        exception: record.ExceptionCode,
        exception_code_count: record.NumberParameters.min(2),
        exception_codes: classify::codes(record),
        siginfo: core::ptr::from_mut(record).cast(),
        ucontext: core::ptr::from_mut(context).cast(),
        ..Report::NONE
    };
    let mut context = Context::new(context, seen.access);
    // RaiseException and its like report where they were called, or where they are themselves; the kernel reports where
    // the thread stopped.
    if context.pc() != record.ExceptionAddress.addr() {
        return false;
    }
    let fault = Fault { from_kernel: true, kind: seen.kind, pc: context.pc(), address: seen.address };
    if backend::ends_by_signal(&fault, &mut context) {
        return true;
    }
    if backend::has_been_declined(&fault) {
        return false;
    }
    let live = if state::FAULT_HANDLER_COUNT.load(Ordering::SeqCst) == 0 {
        Live::without_fault_handlers(context.sp())
    } else {
        Live::now(context.sp())
    };
    let verdict = decide(&fault, &live);
    drop(live);
    match verdict {
        Verdict::CallHost(findings) => {
            let no_link = core::ptr::null_mut();
            let handled =
                ask::ask_once(&mut context, &fault, &report, findings, NO_OTHER_STACK, kernel_mask(), no_link);
            if handled {
                interrupt_what_goes_on(&mut context);
            }
            handled
        }
        Verdict::Trap(code, findings) => {
            // SAFETY: null or this thread's record, which only this thread frees.
            let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
            let cause = land::Cause { code, source: WASMTRAP_SOURCE_FAULT, payload: 0 };
            land::trap(thread, land::Maker::its_thread(thread), cause, &mut context, &fault, &report, &findings)
        }
        _ => false,
    }
}

/// The code that faulted goes on. Who interrupted it meanwhile has found the thread in here.
pub(super) fn interrupt_what_goes_on(context: &mut Context<'_>) {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return };
    if thread.attention.load(Ordering::SeqCst) & ATTENTION_INTERRUPT != 0 {
        let pc = context.pc();
        let _: Option<Taken> = interrupt::take(thread, context, pc, &Report::NONE);
    }
}

/// There are no signals, and so none is blocked.
fn kernel_mask() -> u64 {
    0
}
