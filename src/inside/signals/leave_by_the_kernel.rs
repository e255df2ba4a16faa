//! Leaving a handler by the kernel's own return, which nothing here knows to make cheaper.

use libc::{siginfo_t, ucontext_t};

use crate::inside::signals::context::Context;
use crate::inside::signals::forward::Entrance;

/// Gets the context ready for the landing at which it has been made to resume.
pub(crate) fn leave(_info: &siginfo_t, _context: &mut ucontext_t, _entrance: Entrance) {}

/// False: whether what the embedder handed to wasmtrap_call can be read here is not looked at.
pub(crate) fn can_read_arguments(_context: &Context<'_>) -> bool {
    false
}
