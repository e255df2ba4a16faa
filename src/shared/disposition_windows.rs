//! What an adopted engine has installed on Windows: vectored handlers, each of which is called for every exception.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::abi::WASMTRAP_MAX_ADOPTED;

/// What handlers can be told apart by: nothing.
pub(crate) const SIGNALS: [core::ffi::c_int; 1] = [0];

/// The most handlers that one engine has. Those that there are have one.
pub(crate) const HANDLERS: usize = 4;

/// An engine's handlers, in the order in which they are called. 0: none.
pub(crate) struct Disposition([AtomicUsize; HANDLERS]);

impl Disposition {
    pub(crate) fn handlers(&self) -> [usize; HANDLERS] {
        self.0.each_ref().map(|handler| handler.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, handlers: [usize; HANDLERS]) {
        for (slot, handler) in self.0.iter().zip(handlers) {
            slot.store(handler, Ordering::Release);
        }
    }
}

/// Those of the engine in the place (`shared::adopted`) with the same number.
pub(crate) static DISPOSITIONS: [Disposition; WASMTRAP_MAX_ADOPTED] =
    [const { Disposition([const { AtomicUsize::new(0) }; HANDLERS]) }; WASMTRAP_MAX_ADOPTED];
