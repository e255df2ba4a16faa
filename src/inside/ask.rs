//! Asking the embedder's fault handler, on the thread that faulted.

use super::decide::{Fault, Findings, Verdict, conclude};
use super::land;
use super::machine::{Machine, Report};
use super::tables::{Asked, Live};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::state::FaultHandler;

/// Lets the fault handlers decide, one after the other, and applies what follows. False if the fault is to be
/// forwarded.
#[inline(never)]
pub(crate) fn ask(machine: &mut impl Machine, fault: &Fault, report: &Report, findings: Findings) -> bool {
    let mut asked = Asked::Nobody;
    loop {
        // A section that has ended before the handler runs: it may wait for its end, or never return.
        let next = Live::now(machine.sp()).next_to_ask(fault.kind, &findings, asked);
        match next {
            Some(handler) => {
                if ask_one(&handler, machine, fault, report, findings) {
                    return true;
                }
                let owners = Some(handler.client) == findings.owner();
                asked = if owners { Asked::Owner } else { Asked::UpTo(handler.turn) };
            }
            // Nobody has taken it, or they have gone meanwhile: what the tables say holds.
            None => return apply(WASMTRAP_VERDICT_FORWARD, WASMTRAP_CODE_NONE, 0, machine, fault, report, findings),
        }
    }
}

/// False if the handler leaves the fault to others.
#[inline(never)]
fn ask_one(
    handler: &FaultHandler,
    machine: &mut impl Machine,
    fault: &Fault,
    report: &Report,
    findings: Findings,
) -> bool {
    let Some(function) = handler.function else { return false };
    let mut registers = machine.registers();
    let mut record = land::EMPTY;
    land::describe(&mut record, fault, &findings);
    let mut seen = wasmtrap_fault_t {
        struct_size: size_of::<wasmtrap_fault_t>(),
        kind: fault.kind.bit(),
        flags: record.flags | WASMTRAP_HAS_REGISTERS,
        access: machine.access(fault),
        trap_code: findings.trap.unwrap_or(WASMTRAP_CODE_NONE),
        payload: 0,
        pc: fault.pc,
        sp: machine.sp(),
        fp: machine.fp(),
        fault_address: record.fault_address,
        code_id: record.code_id,
        code_user: record.code_user,
        code_offset: record.code_offset,
        region_id: record.region_id,
        region_user: record.region_user,
        region_offset: record.region_offset,
        signal: report.signal,
        signal_code: report.signal_code,
        exception: report.exception,
        reserved: 0,
        registers: &raw mut registers,
        siginfo: report.siginfo,
        ucontext: report.ucontext,
    };
    // SAFETY: the embedder gave us the function for this; `seen` lives until it returns.
    let answer = unsafe { function(&raw mut seen, handler.user) };
    if answer == WASMTRAP_VERDICT_RESUME {
        machine.set_registers(&registers);
    }
    apply(answer, seen.trap_code, seen.payload, machine, fault, report, findings)
}

/// Does what follows from a handler's answer, and from the tables. False if the fault is to be forwarded.
fn apply(
    answer: wasmtrap_verdict_t,
    code: wasmtrap_code_t,
    payload: u64,
    machine: &mut impl Machine,
    fault: &Fault,
    report: &Report,
    findings: Findings,
) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees. Read now: the handler may have attached it.
    let thread = unsafe { arch::current_thread().as_ref() };
    let protected = thread.is_some_and(|thread| !land::landing_place(thread, machine.sp()).is_null());
    let (source, payload) = match answer {
        WASMTRAP_VERDICT_TRAP => (WASMTRAP_SOURCE_HANDLER, payload),
        _ => (WASMTRAP_SOURCE_FAULT, 0),
    };
    match (conclude(answer, code, findings, protected), thread) {
        (Verdict::Resume, _) => true,
        (Verdict::Trap(code, findings), Some(thread)) => land::trap(
            thread,
            land::Maker::ItsThread,
            land::Cause { code, source, payload },
            machine,
            fault,
            report,
            &findings,
        ),
        _ => false,
    }
}
