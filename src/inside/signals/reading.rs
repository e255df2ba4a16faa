//! What a signal says, in words that are the same on every system.

use crate::inside::decide::Kind;

#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) from_kernel: bool,
    pub(crate) kind: Kind,
    /// si_addr is the address of an access, not of the instruction.
    pub(crate) has_address: bool,
}
