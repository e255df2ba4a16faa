//! Taking an interrupt for the thread whose run it is, where that is in registered code.
//!
//! Elsewhere the thread is in host code, which is not dropped: the interrupt pends until the next protected call is
//! entered within the run, or until the host comes to a point at which it may be dropped (`outside::runs`).

use super::decide::{Fault, Findings, Kind};
use super::machine::{Machine, Report};
use super::{find, land, tables};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::runs::Taken;
use crate::shared::thread::Thread;
use crate::shared::tree;

/// Makes a trap of an interrupt of one of the thread's runs, if there is one and the thread is in registered code, at
/// `pc`. The thread is this one, which has been stopped by a handler, or another one that is suspended.
pub(crate) fn take(thread: &Thread, machine: &mut impl Machine, pc: usize, report: &Report) -> Option<Taken> {
    let sp = machine.sp();
    // An adopted engine ends its own calls, and keeps lists of them.
    let kept = WASMTRAP_CODE_NOT_INTERRUPTIBLE | WASMTRAP_CODE_ADOPTED;
    let code = find::find(&tree::CODE, pc, |entry| (entry.flags & kept == 0).then(|| tables::hit(entry, pc)));
    let findings = match code {
        Some(Some(code)) => Findings { code: Some(code), ..Findings::default() },
        Some(None) => return None,
        // Past the last look for an interrupt, and not in the guest yet.
        None if arch::is_entering_guest(pc) => Findings::default(),
        None => return None,
    };
    let landing = land::landing_place(thread, sp, machine.fp(), None);
    let taken = land::take_interrupt(thread, landing, sp)?;
    let cause = land::Cause { code: taken.code, source: WASMTRAP_SOURCE_INTERRUPT, payload: taken.payload };
    let fault = Fault { from_kernel: false, kind: Kind::Fatal, pc, address: None };
    land::trap(thread, land::Maker::its_thread(thread), cause, machine, &fault, report, &findings).then_some(taken)
}
