//! Taking an interrupt, on the thread whose run it is: by a signal, where that finds the thread in registered code.
//!
//! Elsewhere the thread is in host code, which is not dropped: the interrupt pends until the next protected call is
//! entered within the run, or until the host comes to a point at which it may be dropped (`outside::runs`).

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::decide::{Fault, Findings, Kind};
use super::machine::Report;
use super::signals::context::Context;
use super::tables;
use super::{find, land};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::thread::ATTENTION_INTERRUPT;
use crate::shared::tree;

/// The signal by which threads are interrupted has come: makes a trap of it, if there is reason and the thread is in
/// registered code.
pub(crate) fn signalled(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    // First, so that an interrupt for which no signal was sent because of this one is seen below.
    thread.signalled.store(false, Ordering::SeqCst);
    if thread.attention.load(Ordering::SeqCst) & ATTENTION_INTERRUPT == 0 {
        return false;
    }
    let (siginfo, ucontext) = (core::ptr::from_mut(info).cast(), core::ptr::from_mut(context).cast());
    let mut context = Context::new(context, signal, info.si_code);
    let (pc, sp) = (context.pc(), context.sp());
    // An adopted engine ends its own calls, and keeps lists of them.
    let kept = WASMTRAP_CODE_NOT_INTERRUPTIBLE | WASMTRAP_CODE_ADOPTED;
    let code = find::find(&tree::CODE, pc, |entry| (entry.flags & kept == 0).then(|| tables::hit(entry, pc)));
    let findings = match code {
        Some(Some(code)) => Findings { code: Some(code), ..Findings::default() },
        Some(None) => return false,
        // Past the last look for an interrupt, and not in the guest yet.
        None if arch::is_entering_guest(pc) => Findings::default(),
        None => return false,
    };
    let landing = land::landing_place(thread, sp, context.fp(), None);
    let Some((code, payload)) = land::take_interrupt(thread, landing, sp) else { return false };
    let cause = land::Cause { code, source: WASMTRAP_SOURCE_INTERRUPT, payload };
    let report = Report::of_signal(signal, info.si_code, siginfo, ucontext);
    let fault = Fault { from_kernel: false, kind: Kind::Fatal, pc, address: None };
    land::trap(thread, land::Maker::its_thread(thread), cause, &mut context, &fault, &report, &findings)
}
