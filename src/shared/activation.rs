//! A protected call in progress.
//!
//! It lives in the stack frame of `wasmtrap_call`, which writes all of it; assembly and Rust agree on the offsets by
//! `offset_of!`. Its address is the stack pointer that a trap resumes with.

use super::abi::wasmtrap_trap_t;

#[repr(C)]
pub(crate) struct Activation {
    /// The next protected call out, or null.
    pub(crate) previous: *mut Activation,
    /// Where the caller wants the trap record, or null.
    pub(crate) trap: *mut wasmtrap_trap_t,
    /// x86-64: MXCSR in the low half, the x87 control word above it. arm64: FPCR.
    pub(crate) float_control: u64,
    /// x86-64: the shadow stack pointer, 0 where there is none.
    pub(crate) shadow_stack: u64,
    /// Not 0 while this is the innermost call of a chain that is on no thread.
    pub(crate) detached: u64,
}
