//! The embedder's fault handler on the thread that faulted.
//!
//! The server saves the thread's state in its record and points the thread at the trampoline, on a stack of its own;
//! the trampoline keeps the vector registers, calls [`asked`] and ends in an instruction that traps, so that the server
//! can put the state back. The stack is not the alternate signal stack: a signal handler that runs there marks it as in
//! use only when the kernel put it there (sendsig, bsd/dev/i386/unix_signal.c), so that a signal during the handler
//! would begin at its top and overwrite it.

use core::sync::atomic::Ordering;

use super::state::{State, Words};
use super::{engines, trampoline};
use crate::arch;
use crate::inside::decide::{Fault, Verdict, decide};
use crate::inside::machine::{Machine, Report};
use crate::inside::tables::Live;
use crate::inside::{ask, land, lookup};
use crate::shared::abi::*;
use crate::shared::mach::{Callback, EPOCH, Phase};
use crate::shared::thread::Thread;

/// Saves the state and has the thread go on in the trampoline.
pub(crate) fn ask_on_its_thread(
    thread: &Thread,
    callback: &mut Callback,
    fault: &Fault,
    report: &Report,
    pc_is_behind: bool,
    words: &mut Words,
) {
    callback.words = *words;
    callback.fault = *fault;
    callback.report = *report;
    callback.pc_is_behind = pc_is_behind;
    callback.handled = false;
    callback.phase = Phase::Asking;
    let (record, kept) = (core::ptr::from_ref(thread).addr(), (&raw const callback.words).addr());
    let top = thread.backend.callback_stack_top();
    State::new(words, false).enter(trampoline::entry_address(), record, kept, top);
}

/// What the trampoline calls, on the thread that faulted.
///
/// `vectors` is where it has kept the vector registers, and puts them back from.
pub(crate) unsafe extern "C" fn asked(thread: &Thread, vectors: *mut u8) {
    let place = thread.backend.callback.get();
    // No reference is kept while the handler runs: should it fault, the server looks at the same place.
    // SAFETY: this thread's, which is not in the kernel now.
    let (fault, report, pc_is_behind, mut words) =
        unsafe { ((*place).fault, (*place).report, (*place).pc_is_behind, (*place).words) };
    let handled = engines::ask(thread, &fault, &report, &mut words, vectors, |words| {
        let mut machine = State::new(words, pc_is_behind);
        let sp = machine.sp();
        let verdict = lookup::undisturbed(|| Some(decide(&fault, &Live::now(sp)))).unwrap_or(Verdict::Forward);
        match verdict {
            Verdict::CallHost(findings) => ask::ask(&mut machine, &fault, &report, findings),
            // The handler has been taken away in between, or an engine was to be asked first.
            Verdict::Trap(code, findings) => {
                let cause = land::Cause { code, source: WASMTRAP_SOURCE_FAULT, payload: 0 };
                land::trap(thread, land::Maker::its_thread(thread), cause, &mut machine, &fault, &report, &findings)
            }
            Verdict::Forward | Verdict::Resume => false,
        }
    });
    // SAFETY: as above.
    unsafe {
        (*place).words = words;
        (*place).handled = handled;
    }
}

/// The end of the asking, should the kernel bypass the ports with it: whether this is it. Then the thread goes on as
/// the handler said, by `machine`.
pub(crate) fn ends_by_signal(fault: &Fault, machine: &mut impl Machine) -> bool {
    if !fault.from_kernel || fault.pc != trampoline::return_address() {
        return false;
    }
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    if !thread.backend.on_callback_stack(machine.sp()) {
        return false;
    }
    let place = thread.backend.callback.get();
    // SAFETY: this thread's, which is not in the kernel now. The server may have seen the end already, if its answer
    // was what was lost: what the thread goes on with is the same.
    let (mut words, handled, pc_is_behind) = unsafe { ((*place).words, (*place).handled, (*place).pc_is_behind) };
    let mut state = State::new(&mut words, pc_is_behind && !handled);
    let phase = if handled {
        Phase::Idle
    } else {
        state.run_again();
        forwarding_at(state.pc())
    };
    machine.set_registers(&state.registers());
    // SAFETY: as above.
    unsafe { (*place).phase = phase };
    true
}

/// What a fault at `pc` that is declined now comes again as.
pub(crate) fn forwarding_at(pc: usize) -> Phase {
    Phase::Forwarding { pc, epoch: EPOCH.load(Ordering::Relaxed) }
}

/// And what it goes on to the next level as.
pub(crate) fn declined_at(pc: usize) -> Phase {
    Phase::Declined { pc, epoch: EPOCH.load(Ordering::Relaxed) }
}

/// Whether this is the fault that the handler has just declined, come back from the next level as a signal.
pub(crate) fn has_been_declined(fault: &Fault) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    let place = thread.backend.callback.get();
    // SAFETY: this thread's, which is not in the kernel now.
    let phase = unsafe { (*place).phase };
    let declined = fault.from_kernel && phase == declined_at(fault.pc);
    if declined {
        // SAFETY: as above.
        unsafe { (*place).phase = Phase::Idle };
    }
    declined
}

/// Whether the next fault that is asked about there will have been declined.
pub(crate) fn was_declined(pc: usize) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    // SAFETY: this thread's, which is not in the kernel now.
    let phase = unsafe { (*thread.backend.callback.get()).phase };
    phase == declined_at(pc)
}

/// Whether code with this stack pointer is the embedder's fault handler.
pub(crate) fn runs_fault_handler(thread: &Thread, sp: usize) -> bool {
    thread.backend.on_callback_stack(sp)
}

/// The server, which makes traps while the thread waits for its answer.
pub(crate) fn maker(thread: &Thread) -> land::Maker<'_> {
    land::Maker { pending: &thread.backends_pending, landing: arch::server_landing() }
}
