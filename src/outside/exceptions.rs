//! The seam between the library and what the system has, before a fault becomes a signal: each system's way is a folder
//! with the items below, and this file picks one. A new one begins as a copy of `none`; what it lacks, the compiler
//! says.
//!
//! - `EXIST`: whether this system has such a thing at all.
//! - `possible`: why it is safe in this process, or what is in the way. It asks for nothing that could do harm.
//! - `start`, `extend`, `stop`: its part of the set-up, for these kinds of fault; one more client's kinds; its end.
//! - `attach`, `detach`: a thread's part, which is put back as it was. `attach` is called again whenever the thread's
//!   attention was called for. Both under the lock of the threads' list.
//! - `check`, `rearm`: the kinds of fault that somebody else sees first on this thread; going back on top.
//! - `signals_go_on_top`: our signal handlers are about to be put on top, by the host's wish or for an adopted engine.
//! - `fork_in_child`, `forget_thread`: a child's process, and its one thread. The first tells why the child goes on
//!   with signals, if it does.
//! - `describe_host`, `describe`: lines for wasmtrap_describe; whatever is set up, and where this is.
//! - `new_thread_half`, `kept_record`, `give_back_memory`, `free_record`: its part of a thread's record
//!   (`shared::backend`), and where records come from and go.
//!
//! What it does in a handler is picked in `inside::backend`.

#[cfg(wasmtrap_mach)]
use super::mach as picked;
#[cfg(not(wasmtrap_mach))]
use super::none as picked;

pub(crate) use picked::{
    EXIST, attach, check, describe, describe_host, detach, extend, forget_thread, fork_in_child, free_record,
    give_back_memory, kept_record, new_thread_half, possible, rearm, signals_go_on_top, start, stop,
};
