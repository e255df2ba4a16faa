//! Exceptions: who wants them, in what order they are asked, and what is said to them (osfmk/kern/exception.c,
//! osfmk/kern/ipc_tt.c).

pub(crate) mod action;
pub(crate) mod policy;
pub(crate) mod reporter;
pub(crate) mod triage;
pub(crate) mod validation;
pub(crate) mod wire;
