//! Asking the embedder's fault handler, on the thread that faulted.

use super::decide::{Fault, Findings, Verdict, conclude};
use super::machine::{Machine, Report};
use super::signals::kernel;
use super::tables::{Asked, Live};
use super::{land, lookup};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::seal;
use crate::shared::state::FaultHandler;
use crate::shared::thread::{Asking, Thread};

/// The memory of a thread's alternate signal stack, as a signal's context has it.
#[derive(Clone, Copy)]
pub(crate) struct SignalStack {
    pub(crate) base: usize,
    pub(crate) size: usize,
}

impl SignalStack {
    fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base) < self.size
    }
}

/// The same as [`ask`] in a signal handler, unless this is a fault of the embedder's fault handler itself, which is not
/// its own to judge: it would be asked for ever. `mask` is the signal mask of the code that faulted; `link` is a word
/// of the signal's context that the kernel writes for each signal and nobody reads (uc_link), or null.
#[inline(never)]
pub(crate) fn ask_once(
    machine: &mut impl Machine,
    fault: &Fault,
    report: &Report,
    findings: Findings,
    signal_stack: SignalStack,
    mask: u64,
    link: *mut u64,
) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else {
        return ask(machine, fault, report, findings);
    };
    let before = thread.asking.get();
    if has_called(thread, &before, machine.sp(), Some(signal_stack)) {
        return false;
    }
    let frame = Frame::new(link);
    let link = link.expose_provenance();
    thread.asking.set(Asking { at: frame.address(), link, mark: frame.mark, mask: Some(mask) });
    let handled = ask(machine, fault, report, findings);
    thread.asking.set(Asking::NOBODY);
    handled
}

/// A word in the frame of the function that asks, which tells it from memory that was one; and the same word in the
/// signal's context. The first alone may lie where nobody writes, in a large array of code that runs there now. The
/// kernel writes over the second when it delivers the next signal in the same place, at the top of an alternate stack
/// that the thread has left (Linux 6.1: __setup_rt_frame in arch/x86/kernel/signal.c, setup_rt_frame in
/// arch/arm64/kernel/signal.c; xnu-10002.1.13: sendsig in bsd/dev/i386/unix_signal.c, sendsig_fill_uctx64 in
/// bsd/dev/arm/unix_signal.c).
struct Frame {
    mark: u64,
    link: *mut u64,
    before: u64,
}

impl Frame {
    #[inline(always)]
    fn new(link: *mut u64) -> Self {
        let mut frame = Self { mark: 0, link, before: 0 };
        frame.mark = seal::of_words(&[frame.address() as u64]);
        if !link.is_null() {
            // SAFETY: the caller's, in a context that lasts until the signal handler ends.
            unsafe {
                frame.before = link.read_volatile();
                link.write_volatile(frame.mark);
            }
        }
        frame
    }

    fn address(&self) -> usize {
        (&raw const self.mark).expose_provenance()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: its own field. Volatile, or the compiler would see that nobody reads it any more.
        unsafe { (&raw mut self.mark).write_volatile(0) };
        if !self.link.is_null() {
            // SAFETY: as in `new`.
            unsafe { self.link.write_volatile(self.before) };
        }
    }
}

/// Whether code that runs at `sp` was called by the embedder's fault handler, or is it, in the asking at hand. A
/// handler that has jumped out has left its asking behind: its frame is further in than the code that runs, on another
/// stack, or overwritten.
fn has_called(thread: &Thread, asking: &Asking, sp: usize, signal_stack: Option<SignalStack>) -> bool {
    /// Where nobody knows the stack: what a handler may use of it.
    const NEAR: usize = 256 * 1024;
    let at = asking.at;
    if at == 0 || sp >= at {
        return false;
    }
    let stack = thread.stack.get();
    let same_stack = match signal_stack {
        // An overflow ends just below it.
        Some(signal_stack) if signal_stack.contains(at) => sp.wrapping_add(NEAR) >= signal_stack.base,
        _ if stack.contains(at) => sp >= stack.low.wrapping_sub(stack.guard.max(stack.margin)),
        _ => at - sp < NEAR,
    };
    // The stack may be another one by now, and this one gone.
    let has_mark = |place: usize| {
        let mark = core::ptr::with_exposed_provenance::<u64>(place);
        // SAFETY: it can be read.
        kernel::can_read(place, size_of::<u64>()) && unsafe { mark.read_volatile() } == asking.mark
    };
    same_stack && has_mark(at) && (asking.link == 0 || has_mark(asking.link))
}

/// A trap that lands in `activation` is about to leave code at `sp`: the signal mask to be put back, if it leaves the
/// embedder's fault handler by that.
pub(crate) fn left_by_raise(thread: &Thread, sp: usize, activation: *const Activation) -> Option<u64> {
    let asking = thread.asking.get();
    // A call that the handler itself has made is further in than the asking. A function that is called by
    // wasmtrap_call, and jumps to wasmtrap_raise without a frame of its own, has its stack pointer at the activation.
    let stays = sp <= activation.addr() && activation.addr() < asking.at;
    if asking.at == 0 || stays || !has_called(thread, &asking, sp, None) {
        return None;
    }
    thread.asking.set(Asking::NOBODY);
    asking.mask
}

/// The frame of a fault handler's call is unwound: the handler is left by a jump or an exception. Where the system
/// tells of that, a fault at the same depth of the stack is not taken for the handler's own, whatever lies in the
/// memory that was the asking's frame: there is no word in an exception's context that the next one is sure to write
/// over.
#[cfg(windows)]
pub(crate) fn left_by_unwinding(frame: usize) {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return };
    if frame < thread.asking.get().at {
        thread.asking.set(Asking::NOBODY);
    }
}

/// Lets the fault handlers decide, one after the other, and applies what follows. False if the fault is to be
/// forwarded.
#[inline(never)]
pub(crate) fn ask(machine: &mut impl Machine, fault: &Fault, report: &Report, findings: Findings) -> bool {
    let mut asked = Asked::Nobody;
    loop {
        // A section that has ended before the handler runs: it may wait for its end, or never return.
        let look = || Live::now(machine.sp()).next_to_ask(fault.kind, &findings, asked);
        match if machine.may_be_disturbed() { lookup::undisturbed(look) } else { look() } {
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
    let answer = unsafe { arch::call_fault_handler(handler, &raw mut seen) };
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
    let protected = thread.is_some_and(|thread| land::can_land(thread, machine.sp()));
    let (source, payload) = match answer {
        WASMTRAP_VERDICT_TRAP => (WASMTRAP_SOURCE_HANDLER, payload),
        _ => (WASMTRAP_SOURCE_FAULT, 0),
    };
    match (conclude(answer, code, findings, protected), thread) {
        (Verdict::Resume, _) => true,
        (Verdict::Trap(code, findings), Some(thread)) => land::trap(
            thread,
            land::Maker::its_thread(thread),
            land::Cause { code, source, payload },
            machine,
            fault,
            report,
            &findings,
        ),
        _ => false,
    }
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
