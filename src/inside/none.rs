//! What a backend does in a handler where there is none: nothing. See `inside::backend`.

use super::decide::Fault;
use super::land::Maker;
use super::machine::Machine;
use crate::shared::thread::Thread;

pub(crate) fn ends_by_signal(_fault: &Fault, _machine: &mut impl Machine) -> bool {
    false
}

pub(crate) fn has_been_declined(_fault: &Fault) -> bool {
    false
}

#[cfg_attr(windows, allow(dead_code, reason = "signals ask"))]
pub(crate) fn was_declined(_pc: usize) -> bool {
    false
}

pub(crate) fn runs_fault_handler(_thread: &Thread, _sp: usize) -> bool {
    false
}

pub(crate) fn maker(thread: &Thread) -> Maker<'_> {
    Maker::its_thread(thread)
}
