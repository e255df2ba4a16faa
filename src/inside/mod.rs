//! What may run in a signal handler, on any thread, at any instruction.
//!
//! Rules, checked on the built library (`make check-handler-safety`):
//!
//! - no lock, no allocation, no panic, no formatted output, no thread-local but the word of `arch::current_thread`;
//! - no system call outside `signals::forward` and what it calls;
//! - nothing imported that could bring one of these in.

pub(crate) mod adopted;
pub(crate) mod ask;
pub(crate) mod backend;
pub(crate) mod backtrace;
#[cfg_attr(
    not(feature = "fuzzing"),
    allow(unreachable_pub, reason = "the fuzzer's door is open with the feature only")
)]
pub(crate) mod decide;
pub(crate) mod find;
pub(crate) mod interrupt;
pub(crate) mod land;
pub(crate) mod lookup;
#[cfg(any(wasmtrap_mach, test, feature = "fuzzing"))]
pub(crate) mod mach;
pub(crate) mod machine;
#[cfg(not(wasmtrap_mach))]
mod none;
#[cfg_attr(windows, path = "vectored/mod.rs")]
pub(crate) mod signals;
pub(crate) mod tables;
/// For its tests, which need no arm64 and no Windows.
#[cfg(all(test, not(windows), not(wasmtrap_mach)))]
#[path = "vectored/context_aarch64.rs"]
mod windows_context_aarch64;
