//! What a thread has: Wasmtime's thread-local words, and room for the registers that a fault interrupted.
//!
//! The fault handler reads it, so that it is there without anything being allocated at the first look.

use core::cell::{Cell, UnsafeCell};

use wasmtrap::abi::WASMTRAP_OK;
use wasmtrap::capi;

use crate::traps::{self, Interrupted};

#[cfg_attr(target_os = "linux", path = "threads/elf.rs")]
#[cfg_attr(target_os = "macos", path = "threads/macos.rs")]
mod storage;

pub(crate) use storage::{current, current_or_new as of_this_thread};

/// How many words Wasmtime has: the second is for `component-model-async`.
pub(crate) const SLOTS: usize = 2;

/// A thread's own. All-zero at its beginning.
#[repr(C)]
pub(crate) struct Thread {
    slots: [Cell<*mut u8>; SLOTS],
    attached: Cell<bool>,
    /// How many of Wasmtime's locks the thread holds or waits for, and whether it passed `fork`'s gate before them.
    pub(crate) locks: Cell<usize>,
    pub(crate) passed_gate: Cell<bool>,
    pub(crate) interrupted: UnsafeCell<Interrupted>,
}

impl Thread {
    /// Whether Wasmtime runs Wasm, or something that Wasm called, on this thread. Its pointer has a flag in its lowest
    /// bit (`tls::raw` in Wasmtime's traphandlers.rs).
    pub(crate) fn is_in_wasm(&self) -> bool {
        self.slots[0].get().addr() > 1
    }
}

/// One of this thread's words; null before the first `set`, and for a number that is none.
pub(crate) fn get(slot: usize) -> *mut u8 {
    current().and_then(|thread| thread.slots.get(slot)).map_or(core::ptr::null_mut(), Cell::get)
}

/// Sets one of this thread's words. Where Wasmtime first enters Wasm, the thread is attached to libwasmtrap.
pub(crate) fn set(slot: usize, value: *mut u8) {
    let thread = storage::current_or_new();
    if let Some(place) = thread.slots.get(slot) {
        place.set(value);
    }
    if !thread.attached.get() {
        attach(thread);
    }
}

/// Apart, because Wasmtime sets a word twice for each call into Wasm, and this is done once.
#[cold]
#[inline(never)]
fn attach(thread: &Thread) {
    if traps::wanted() {
        // Without an alternate stack Wasmtime's traps still arrive, since it checks its stack by instructions; hence
        // no error here, which Wasmtime could not be told anyway, but another try at the next entry.
        thread.attached.set(capi::wasmtrap_thread_attach() == WASMTRAP_OK);
    }
}
