//! The real kernel: how processes are started, stopped, read and continued.

pub(crate) mod events;
pub(crate) mod launch;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod ptrace;
pub(crate) mod seccomp;
pub(crate) mod signals;
