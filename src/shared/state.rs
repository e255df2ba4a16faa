//! The few words that say what the library is doing.

use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use super::abi::{WASMTRAP_MAX_CLIENTS, wasmtrap_client_t, wasmtrap_fault_handler_t};

/// 1 between wasmtrap_init and wasmtrap_shutdown.
pub(crate) static READY: AtomicU8 = AtomicU8::new(0);

pub(crate) fn is_ready() -> bool {
    READY.load(Ordering::Acquire) != 0
}

/// The kinds of fault (WASMTRAP_FAULT_*) that may become traps; 0 before init and after shutdown.
pub(crate) static ARMED_KINDS: AtomicU32 = AtomicU32::new(0);

/// A client's fault handler. Never changed once published; freed when no reader is left.
#[derive(Clone, Copy)]
pub(crate) struct FaultHandler {
    pub(crate) function: wasmtrap_fault_handler_t,
    pub(crate) user: *mut libc::c_void,
    pub(crate) client: wasmtrap_client_t,
    /// The kinds of fault that it is asked about.
    pub(crate) kinds: u32,
    /// It is asked about faults that are nobody's, too.
    pub(crate) any_fault: bool,
    /// Never 0, and greater than that of all that were set before.
    pub(crate) turn: u64,
}

/// The fault handlers, at most one of each client, in no order; null where there is none. Read in a readers' section
/// only.
pub(crate) static FAULT_HANDLERS: [AtomicPtr<FaultHandler>; WASMTRAP_MAX_CLIENTS] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; WASMTRAP_MAX_CLIENTS];

/// How many there are.
pub(crate) static FAULT_HANDLER_COUNT: AtomicU32 = AtomicU32::new(0);

/// This process, so that a handler can tell its own signals without a system call. Renewed in a forked child.
pub(crate) static PROCESS_ID: AtomicU32 = AtomicU32::new(0);

/// Where the extended state in a signal frame has the protection keys' rights, in bytes; 0 if there are none.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
static PKRU_PLACE: AtomicUsize = AtomicUsize::new(0);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn pkru_place() -> usize {
    PKRU_PLACE.load(Ordering::Relaxed)
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn set_pkru_place(place: usize) {
    PKRU_PLACE.store(place, Ordering::Relaxed);
}

/// The size of a page less one, so that a handler can tell where the page of a fault ends.
static PAGE_MASK: AtomicUsize = AtomicUsize::new(0xffff);

pub(crate) fn page_mask() -> usize {
    PAGE_MASK.load(Ordering::Relaxed)
}

pub(crate) fn set_page_size(size: usize) {
    PAGE_MASK.store(size - 1, Ordering::Relaxed);
}
