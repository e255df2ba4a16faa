//! The answer to an exception: from the message's words to what the thread goes on with.
//!
//! Invariant: the thread that the message is about waits in the kernel until the reply, so that its record can be
//! looked at and written as if this were its own thread.

use core::sync::atomic::Ordering;

use super::callback;
use super::classify::{self, Exception};
use super::engines;
use super::message::Request;
use super::state::{State, Words};
use super::trampoline;
use crate::inside::decide::{Fault, Verdict, decide};
use crate::inside::land;
use crate::inside::machine::{Machine, Report};
use crate::inside::tables::Live;
use crate::shared::abi::*;
use crate::shared::mach::Phase;
use crate::shared::thread::{ATTENTION_BACKEND, Thread};

/// What the server has to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The thread goes on with the words as they are now.
    GoOn,
    /// The exception is for the owner that this thread had before us: its ports are to be put back, and the instruction
    /// run again, so that the kernel itself delivers it.
    StepAside,
    /// The exception is for the next level: the task's port, the host's, a signal.
    NextLevel,
}

/// Decides about an exception of `thread`. `words` are its state, changed by what is decided.
pub(crate) fn answer(thread: &Thread, request: &Request, words: &mut Words) -> Answer {
    let exception = classify::classify(request.exception, request.codes);
    // SAFETY: the thread waits in the kernel (the invariant above).
    let callback = unsafe { &mut *thread.backend.callback.get() };
    let mut machine = State::new(words, exception.pc_is_behind);
    let kind = classify::kind_after_branch(exception.kind, request.codes, machine.came_by_branch());
    let fault = Fault { from_kernel: true, kind, pc: machine.pc(), address: exception.address };
    // The end of an asking.
    if fault.pc == trampoline::return_address() {
        // One that was interrupted on its way here, so that a signal has ended it: nobody waits for an answer, and what
        // has been noted since then holds.
        if callback.phase != Phase::Asking {
            return Answer::NextLevel;
        }
        callback.phase = Phase::Idle;
        return return_from_callback(callback, words);
    }
    match core::mem::replace(&mut callback.phase, Phase::Idle) {
        // The handler itself faulted. The signal handlers underneath see it as the fault of a signal handler.
        Phase::Asking if thread.backend.on_callback_stack(machine.sp()) => {
            callback.phase = Phase::Asking;
            return next(thread, exception, request, &mut machine);
        }
        // The handler has had its say about this one.
        phase if phase == callback::forwarding_at(fault.pc) => {
            let answer = next(thread, exception, request, &mut machine);
            if answer == Answer::NextLevel {
                callback.phase = callback::declined_at(fault.pc);
            }
            return answer;
        }
        // Any other fault, of a handler that has jumped out too, is a new one.
        Phase::Idle | Phase::Asking | Phase::Forwarding { .. } | Phase::Declined { .. } => (),
    }
    let report = report_of(request);
    let engines = engines::are_asked(thread, request.exception, request.codes, fault.pc);
    if engines == engines::Asked::First {
        callback::ask_on_its_thread(thread, callback, &fault, &report, exception.pc_is_behind, words);
        return Answer::GoOn;
    }
    match decide(&fault, &Live::of_stopped(thread, machine.sp())) {
        Verdict::Trap(code, findings) => {
            let cause = land::Cause { code, source: WASMTRAP_SOURCE_FAULT, payload: 0 };
            if land::trap(thread, callback::maker(thread), cause, &mut machine, &fault, &report, &findings) {
                return Answer::GoOn;
            }
            next(thread, exception, request, &mut machine)
        }
        Verdict::CallHost(_) => {
            callback::ask_on_its_thread(thread, callback, &fault, &report, exception.pc_is_behind, words);
            Answer::GoOn
        }
        Verdict::Forward | Verdict::Resume if engines == engines::Asked::Last => {
            callback::ask_on_its_thread(thread, callback, &fault, &report, exception.pc_is_behind, words);
            Answer::GoOn
        }
        Verdict::Forward | Verdict::Resume => next(thread, exception, request, &mut machine),
    }
}

/// The reply's view of the record's fields.
fn report_of(request: &Request) -> Report {
    Report { exception: request.exception, exception_code_count: 2, exception_codes: request.codes, ..Report::NONE }
}

/// The trampoline has come back: the handler has spoken, and the saved state is what it made of it.
fn return_from_callback(callback: &mut crate::shared::mach::Callback, words: &mut Words) -> Answer {
    *words = callback.words;
    if !callback.handled {
        let mut machine = State::new(words, callback.pc_is_behind);
        // As the kernel reported it, for whoever comes next: the instruction faults again.
        machine.run_again();
        callback.phase = callback::forwarding_at(machine.pc());
    }
    Answer::GoOn
}

/// Not ours.
fn next(thread: &Thread, _exception: Exception, request: &Request, machine: &mut State<'_>) -> Answer {
    // SAFETY: as in `answer`.
    let earlier = unsafe { &*thread.backend.earlier.get() };
    if !earlier.owns(request.exception) {
        return Answer::NextLevel;
    }
    machine.run_again();
    // The thread takes its exceptions back at its next protected call.
    thread.attention.fetch_or(ATTENTION_BACKEND, Ordering::SeqCst);
    Answer::StepAside
}
