//! The part of the Windows backend that runs while an exception is dispatched: the same items as `signals` has.
//!
//! A vectored handler is called on the stack of the code that faulted, by ntdll, before any `__try` frame is looked at.
//! What is not ours is answered with EXCEPTION_CONTINUE_SEARCH, so that all others see it in its true place.

mod classify;
#[cfg_attr(target_arch = "x86_64", path = "context_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "context_aarch64.rs")]
mod context;
mod engines;
pub(crate) mod entry;
pub(crate) mod kernel;
pub(crate) mod stopped;
