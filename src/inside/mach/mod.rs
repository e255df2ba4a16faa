//! The Mach backend's part that runs while other threads stand still: on its server thread, which answers exceptions,
//! and in the trampoline that runs the embedder's fault handler on the thread that faulted.
//!
//! A thread whose exception is being answered may hold any lock of the process. So the rules are those of a signal
//! handler (`inside`), but for the Mach calls of `server`, which is what this is for.
//!
//! How an exception becomes a trap:
//!
//! ```text
//! thread faults ──► kernel: message 2406 to the thread's own receive right, a member of one port set
//!     server: mach_msg receives from the set ──► message::read ──► answer::answer ──► message::reply
//!     server: the next mach_msg sends the reply, with the thread's new registers, and waits for the next message
//! ```
//!
//! `message`, `classify` and `state` are plain functions of words, tested and fuzzed on every platform.

#[cfg(any(wasmtrap_mach, test))]
pub(crate) mod classify;
#[cfg_attr(
    not(feature = "fuzzing"),
    allow(unreachable_pub, reason = "the fuzzer's door is open with the feature only")
)]
pub(crate) mod message;

#[cfg(any(wasmtrap_mach, test))]
#[cfg_attr(target_arch = "x86_64", path = "state_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "state_aarch64.rs")]
pub(crate) mod state;

// Linux has another translation, for the simulated kernel.
#[cfg(any(target_os = "macos", test))]
pub(crate) mod translate;

#[cfg(wasmtrap_mach)]
pub(crate) mod answer;
#[cfg(wasmtrap_mach)]
pub(crate) mod callback;
#[cfg(wasmtrap_mach)]
mod engines;
#[cfg(wasmtrap_mach)]
pub(crate) mod ports;
#[cfg(wasmtrap_mach)]
pub(crate) mod server;

#[cfg(wasmtrap_mach)]
#[cfg_attr(target_arch = "x86_64", path = "trampoline_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "trampoline_aarch64.rs")]
pub(crate) mod trampoline;
