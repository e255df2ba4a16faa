//! The few words that say what the library is doing.

use core::ffi::c_void;
#[cfg(all(target_arch = "aarch64", target_os = "linux"))]
use core::sync::atomic::AtomicIsize;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use super::abi::*;

/// 1 between wasmtrap_init and wasmtrap_shutdown; [`DECIDING`] while a shutdown looks whether it can be.
pub(crate) static READY: AtomicU8 = AtomicU8::new(0);

/// Whoever finds this waits for the shutdown's decision, which is made under a lock.
pub(crate) const DECIDING: u8 = 2;

pub(crate) fn is_ready() -> bool {
    READY.load(Ordering::Acquire) != 0
}

/// The kinds of fault (WASMTRAP_FAULT_*) that may become traps; 0 before init and after shutdown.
pub(crate) static ARMED_KINDS: AtomicU32 = AtomicU32::new(0);

/// The signal by which threads are interrupted; 0 if there is none.
#[cfg_attr(windows, allow(dead_code, reason = "there are no signals"))]
pub(crate) static INTERRUPT_SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Whether traps may leave a signal handler by a jump: all clients have agreed.
#[cfg_attr(not(all(target_arch = "x86_64", target_os = "linux")), allow(dead_code, reason = "no other system has it"))]
pub(crate) static LEAVES_BY_JUMP: AtomicBool = AtomicBool::new(false);

/// A client's fault handler. Freed when no reader is left that could find it, and no thread has it pinned.
#[repr(C)]
pub(crate) struct FaultHandler {
    /// The function, to be called by `arch::call_fault_handler` only. [`nobody`] once the handler was taken away.
    pub(crate) function: AtomicPtr<c_void>,
    pub(crate) user: *mut c_void,
    /// How many threads are between their look at the handler and its return. One that it has left by a jump stays.
    pub(crate) pins: AtomicUsize,
    /// The next of those that were taken away while they were pinned. The writers' own.
    pub(crate) next: AtomicPtr<FaultHandler>,
    pub(crate) client: wasmtrap_client_t,
    /// The kinds of fault that it is asked about.
    pub(crate) kinds: u32,
    /// It is asked about faults that are nobody's, too.
    pub(crate) any_fault: bool,
    /// Never 0, and greater than that of all that were set before.
    pub(crate) turn: u64,
}

/// What threads find that were on their way to a handler that was taken away.
pub(crate) unsafe extern "C" fn nobody(_fault: *mut wasmtrap_fault_t, _user: *mut c_void) -> wasmtrap_verdict_t {
    WASMTRAP_VERDICT_FORWARD
}

/// A handler that this thread is about to call, or has called: it is not freed.
pub(crate) struct Pinned {
    handler: &'static FaultHandler,
}

impl Pinned {
    /// # Safety
    /// The caller is in a section of the readers, in which it has found the handler.
    pub(crate) unsafe fn new(handler: *const FaultHandler) -> Self {
        // SAFETY: it is not freed before the section ends, and not while it is pinned after that.
        let handler = unsafe { &*handler };
        handler.pins.fetch_add(1, Ordering::SeqCst);
        Self { handler }
    }
}

impl core::ops::Deref for Pinned {
    type Target = FaultHandler;
    fn deref(&self) -> &FaultHandler {
        self.handler
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.handler.pins.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The fault handlers, at most one of each client, in no order; null where there is none. Read in a readers' section
/// only.
pub(crate) static FAULT_HANDLERS: [AtomicPtr<FaultHandler>; WASMTRAP_MAX_CLIENTS] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; WASMTRAP_MAX_CLIENTS];

/// The places from this one on have never had a handler: the first that is free is taken.
static FAULT_HANDLERS_USED: AtomicUsize = AtomicUsize::new(0);

/// The places that have, so that handlers need not look at all of them. In a readers' section only.
pub(crate) fn used_fault_handlers() -> impl Iterator<Item = &'static AtomicPtr<FaultHandler>> {
    FAULT_HANDLERS.iter().take(FAULT_HANDLERS_USED.load(Ordering::SeqCst))
}

/// Notes that a place is about to have a handler.
pub(crate) fn use_fault_handler(number: usize) {
    FAULT_HANDLERS_USED.fetch_max(number + 1, Ordering::SeqCst);
}

/// How many there are.
pub(crate) static FAULT_HANDLER_COUNT: AtomicU32 = AtomicU32::new(0);

/// This process, so that a handler can tell its own signals without a system call. Renewed in a forked child.
pub(crate) static PROCESS_ID: AtomicU32 = AtomicU32::new(0);

/// Where a thread has the area that the kernel looks at for restartable sequences (rseq(2)), from its thread pointer; 0
/// if there is none. Read by `arch::call_fault_handler`, in assembly.
#[cfg(all(target_arch = "aarch64", target_os = "linux"))]
pub(crate) static RESTARTABLE_SEQUENCES: AtomicIsize = AtomicIsize::new(0);

/// 1 if the processor has a streaming mode (SME) and programs may use it. Read by `wasmtrap_call`, in assembly.
#[cfg(all(target_arch = "aarch64", unix))]
pub(crate) static STREAMING_MODE: AtomicU8 = AtomicU8::new(0);

/// The size of a page less one, so that a handler can tell where the page of a fault ends.
static PAGE_MASK: AtomicUsize = AtomicUsize::new(0xffff);

pub(crate) fn page_mask() -> usize {
    PAGE_MASK.load(Ordering::Relaxed)
}

pub(crate) fn set_page_size(size: usize) {
    PAGE_MASK.store(size - 1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest page there is, which is what is assumed before it is known: other tests go by it meanwhile.
    #[test]
    fn the_page_mask_has_the_bits_of_places_in_a_page() {
        set_page_size(0x1_0000);
        assert_eq!(page_mask(), 0xffff);
    }
}
