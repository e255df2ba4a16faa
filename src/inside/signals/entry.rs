//! Where signals arrive: reads the fault, has it decided, applies the verdict.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::classify::{self, Report};
use super::context::Context;
use super::forward::{self, Entrance};
use crate::arch;
use crate::inside::decide::{Fault, Findings, Verdict, conclude, decide};
use crate::inside::land;
use crate::inside::tables::Live;
use crate::shared::abi::*;
use crate::shared::disposition::ENTRY_POINTS;
use crate::shared::state::{self, FaultHandler};

/// What sigaction is given with SA_SIGINFO.
pub(crate) type EntryPoint = unsafe extern "C" fn(libc::c_int, *mut siginfo_t, *mut ucontext_t);

macro_rules! entry_points {
    ($($name:ident = $number:literal),*) => {
        $(
            #[unsafe(naked)]
            unsafe extern "C" fn $name(_signal: libc::c_int, _info: *mut siginfo_t, _context: *mut ucontext_t) {
                arch::signal_entry!($number)
            }
        )*
        /// All alike; `shared::disposition` says why there are several.
        pub(crate) static ALL: [EntryPoint; ENTRY_POINTS] = [$($name),*];
    };
}

entry_points!(entry_0 = 0, entry_1 = 1, entry_2 = 2, entry_3 = 3, entry_4 = 4, entry_5 = 5, entry_6 = 6, entry_7 = 7);

/// What every entry point jumps to.
pub(crate) unsafe extern "C" fn entered(
    signal: libc::c_int,
    info: *mut siginfo_t,
    context: *mut ucontext_t,
    sp: usize,
    link: usize,
    entry: u32,
) {
    // SAFETY: the kernel, or a handler that passes on what it was given, vouches for both.
    let (Some(info), Some(context)) = (unsafe { info.as_mut() }, unsafe { context.as_mut() }) else { return };
    if !handle(signal, info, context) {
        // SAFETY: as above.
        unsafe { forward::forward(signal, info, context, Entrance { sp, link, entry: entry as usize }) };
    }
}

/// For hosts with signal handlers of their own: false if the signal is not ours.
///
/// # Safety
/// The pointers are null or what the kernel gave to a handler.
pub(crate) unsafe fn try_handle(signal: libc::c_int, info: *mut siginfo_t, context: *mut ucontext_t) -> bool {
    // SAFETY: the caller's promise.
    match unsafe { (info.as_mut(), context.as_mut()) } {
        (Some(info), Some(context)) => handle(signal, info, context),
        _ => false,
    }
}

fn handle(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    if state::ARMED_KINDS.load(Ordering::Relaxed) == 0 {
        return false;
    }
    let mut context = Context::new(context);
    let report = classify::classify(signal, info.si_code, context.origin());
    let fault = Fault {
        from_kernel: report.from_kernel,
        kind: report.kind,
        pc: context.pc(),
        // SAFETY: si_addr is set for these signals when the kernel made them, which `has_address` implies.
        address: (report.from_kernel && report.has_address).then(|| unsafe { info.si_addr() }.addr()),
    };
    let live = Live::now(context.sp());
    let verdict = match decide(&fault, &live) {
        Verdict::CallHost(findings) => match live.fault_handler {
            Some(handler) => {
                return ask_host(handler, signal, info, &mut context, &fault, report, findings);
            }
            None => Verdict::Forward,
        },
        verdict => verdict,
    };
    match verdict {
        Verdict::Trap(code, findings) => {
            trap(code, WASMTRAP_SOURCE_FAULT, 0, signal, info, &mut context, &fault, &findings)
        }
        _ => false,
    }
}

/// Lets the embedder's fault handler decide.
fn ask_host(
    handler: FaultHandler,
    signal: libc::c_int,
    info: &siginfo_t,
    context: &mut Context<'_>,
    fault: &Fault,
    report: Report,
    findings: Findings,
) -> bool {
    let Some(function) = handler.function else { return false };
    let mut registers = context.registers();
    let mut record = land::EMPTY;
    land::describe(&mut record, fault, &findings);
    let mut seen = wasmtrap_fault_t {
        struct_size: size_of::<wasmtrap_fault_t>(),
        kind: report.kind.bit(),
        flags: record.flags | WASMTRAP_HAS_REGISTERS,
        access: context.access(),
        trap_code: findings.trap.unwrap_or(WASMTRAP_CODE_NONE),
        payload: 0,
        pc: fault.pc,
        sp: context.sp(),
        fp: context.fp(),
        fault_address: record.fault_address,
        code_id: record.code_id,
        code_user: record.code_user,
        code_offset: record.code_offset,
        region_id: record.region_id,
        region_user: record.region_user,
        region_offset: record.region_offset,
        signal,
        signal_code: info.si_code,
        exception: 0,
        reserved: 0,
        registers: &raw mut registers,
    };
    // SAFETY: the embedder gave us the function for this; `seen` lives until it returns.
    let answer = unsafe { function(&raw mut seen, handler.user) };
    // SAFETY: null or this thread's record, which only this thread frees.
    let protected = unsafe { arch::current_thread().as_ref() }
        .is_some_and(|thread| !land::landing_place(thread, context.sp()).is_null());
    let (source, payload) = match answer {
        WASMTRAP_VERDICT_TRAP => (WASMTRAP_SOURCE_HANDLER, seen.payload),
        _ => (WASMTRAP_SOURCE_FAULT, 0),
    };
    match conclude(answer, seen.trap_code, findings, protected) {
        Verdict::Resume => {
            context.set_registers(&registers);
            true
        }
        Verdict::Trap(code, findings) => trap(code, source, payload, signal, info, context, fault, &findings),
        Verdict::Forward | Verdict::CallHost(_) => false,
    }
}

/// Writes the thread's trap record and lets the thread go on in its innermost protected call. False if there is none.
#[allow(
    clippy::too_many_arguments,
    reason = "all of what is known; a structure for it would be built here and read here"
)]
fn trap(
    code: wasmtrap_code_t,
    source: u32,
    payload: u64,
    signal: libc::c_int,
    info: &siginfo_t,
    context: &mut Context<'_>,
    fault: &Fault,
    findings: &Findings,
) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    let activation = land::landing_place(thread, context.sp());
    if activation.is_null() {
        return false;
    }
    // SAFETY: this thread's, which is here and not where it reads a record: that is outside of registered code.
    let pending = unsafe { &mut *thread.pending.get() };
    let record = &mut pending.record;
    *record = land::EMPTY;
    land::describe(record, fault, findings);
    record.flags |= WASMTRAP_HAS_REGISTERS;
    record.code = code;
    record.source = source;
    record.payload = payload;
    record.access = if fault.address.is_some() { context.access() } else { WASMTRAP_ACCESS_UNKNOWN };
    record.pc = fault.pc;
    record.sp = context.sp();
    record.fp = context.fp();
    record.signal = signal;
    record.signal_code = info.si_code;
    record.registers = context.registers();
    land::add_frames(pending, thread, activation);
    context.resume_at(arch::landing(), activation.addr());
    true
}
