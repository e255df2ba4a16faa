//! A protected call in progress.
//!
//! It lives in the stack frame of `wasmtrap_call`, which writes all of it; assembly and Rust agree on the offsets by
//! `offset_of!`. Its address is the stack pointer that a trap resumes with. Which calls a thread is in is written down
//! in its record (`shared::calls`), because the frame of a call that was left by longjmp belongs to somebody else.

use core::sync::atomic::AtomicU64;

use super::abi::{wasmtrap_client_t, wasmtrap_trap_t};

#[repr(C)]
pub(crate) struct Activation {
    /// The next protected call out when this one was entered, or `calls::BOTTOM`. With the seal intact it is what
    /// `wasmtrap_call` wrote, or `chain_detach` if some call in between was left by longjmp.
    pub(crate) previous: *mut Activation,
    /// Where the caller wants the trap record, or null.
    pub(crate) trap: *mut wasmtrap_trap_t,
    /// x86-64: MXCSR in the low half, the x87 control word above it. arm64: FPCR.
    pub(crate) float_control: u64,
    /// x86-64: the shadow stack pointer, 0 where there is none. arm64: TPIDR2_EL0, likewise.
    pub(crate) shadow_stack: u64,
    /// Tells this frame from memory that was one: see `shared::seal`.
    pub(crate) seal: u64,
    /// From which client's regions' faults the call may be dropped, wherever the program counter is: see
    /// [`droppable_for`]. [`NOT_DROPPABLE`] at first.
    pub(crate) droppable: AtomicU64,
    /// The run that the call is, by which other threads can interrupt it; 0 if it is none.
    pub(crate) run: AtomicU64,
}

/// No client's.
pub(crate) const NOT_DROPPABLE: u64 = 0;

/// One more than the client's number.
pub(crate) fn droppable_for(client: wasmtrap_client_t) -> u64 {
    u64::from(client) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_another_one_and_none_is_nobody() {
        let clients = [0, 1, 2, u32::MAX - 1, u32::MAX];
        let words = clients.map(droppable_for);
        assert!(!words.contains(&NOT_DROPPABLE), "{words:?}");
        assert!(words.is_sorted_by(|one, next| one < next), "{words:?}");
    }
}
