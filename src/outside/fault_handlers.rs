//! The clients' fault handlers: setting one and taking one away, which allocates nothing.
//!
//! Called with the library's lock held only, and so without malloc and free, which may be the host's: what is allocated
//! before, and freed after, is [`Unused`].

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::allocation::{self, NoMemory};
use super::error::{self, Failure, fail};
use super::grace_period::Patience;
use super::{platform, registry};
use crate::shared::abi::*;
use crate::shared::state::{FAULT_HANDLER_COUNT, FAULT_HANDLERS, FaultHandler, nobody, use_fault_handler};

/// Memory for fault handlers: for those to be set, and of those that nobody finds any more. Freed when this is dropped,
/// which must be without a lock of the library.
pub(crate) struct Unused {
    /// A list by their `next`.
    first: *mut FaultHandler,
}

impl Unused {
    pub(crate) const fn new() -> Self {
        Self { first: ptr::null_mut() }
    }

    /// Enough for one handler.
    pub(crate) fn one() -> Result<Self, Failure> {
        let no_memory = |NoMemory| error::no_memory(format_args!("the fault handler"));
        let memory = allocation::allocate::<FaultHandler>().map_err(no_memory)?;
        let function = AtomicPtr::new(nobody as *mut c_void);
        let (pins, next) = (AtomicUsize::new(0), AtomicPtr::new(ptr::null_mut()));
        let user = ptr::null_mut();
        let nothing = FaultHandler { function, user, pins, next, client: 0, kinds: 0, any_fault: false, turn: 0 };
        // SAFETY: fresh memory of the right size and alignment.
        unsafe { memory.write(nothing) };
        Ok(Self { first: memory.as_ptr() })
    }

    fn take(&mut self) -> Option<NonNull<FaultHandler>> {
        let taken = NonNull::new(self.first)?;
        // SAFETY: what is on the list is allocated.
        self.first = unsafe { taken.as_ref() }.next.load(Ordering::Relaxed);
        Some(taken)
    }

    /// # Safety
    /// It came from `one`, and nobody finds it any more.
    unsafe fn add(&mut self, handler: NonNull<FaultHandler>) {
        // SAFETY: it is allocated.
        unsafe { handler.as_ref() }.next.store(self.first, Ordering::Relaxed);
        self.first = handler.as_ptr();
    }
}

impl Drop for Unused {
    fn drop(&mut self) {
        while let Some(handler) = self.take() {
            // SAFETY: allocated by `one`; `add`'s caller has promised the rest.
            unsafe { allocation::release(handler) };
        }
    }
}

/// Sets the fault handler of a client, in the place of the one that it had.
pub(crate) fn set(
    client: wasmtrap_client_t,
    function: wasmtrap_fault_handler_t,
    user: *mut c_void,
    kinds: u32,
    any_fault: bool,
    unused: &mut Unused,
) -> Result<(), Failure> {
    let free = || FAULT_HANDLERS.iter().find(|place| place.load(Ordering::Relaxed).is_null());
    let Some(function) = function else { return Err(error::null("handler")) };
    let Some(place) = place_of(client).or_else(free) else {
        return Err(fail(WASMTRAP_ERR_LIMIT, format_args!("{WASMTRAP_MAX_CLIENTS} clients have a fault handler")));
    };
    let turn = all().map(|handler| handler.turn).max().unwrap_or(0) + 1;
    let handler = unused.take().ok_or_else(|| error::no_memory(format_args!("the fault handler")))?;
    let function = AtomicPtr::new(function as *mut c_void);
    let (pins, next) = (AtomicUsize::new(0), AtomicPtr::new(ptr::null_mut()));
    // SAFETY: memory for a handler, which nobody else has.
    unsafe { handler.write(FaultHandler { function, user, pins, next, client, kinds, any_fault, turn }) };
    if let Some(number) = FAULT_HANDLERS.iter().position(|other| ptr::eq(other, place)) {
        use_fault_handler(number);
    }
    replace(place, handler.as_ptr(), unused);
    Ok(())
}

/// Whether the client has a fault handler, and it is not this one.
pub(crate) fn has_another(client: wasmtrap_client_t, function: wasmtrap_fault_handler_t, user: *mut c_void) -> bool {
    let function = function.map_or(ptr::null_mut(), |function| function as *mut c_void);
    all().any(|it| it.client == client && (it.function.load(Ordering::Relaxed) != function || it.user != user))
}

/// Takes the fault handler of a client away.
pub(crate) fn remove(client: wasmtrap_client_t, unused: &mut Unused) {
    if let Some(place) = place_of(client) {
        replace(place, ptr::null_mut(), unused);
    }
}

fn all() -> impl Iterator<Item = &'static FaultHandler> {
    // SAFETY: null or a handler that only the holder of the library's lock frees.
    FAULT_HANDLERS.iter().filter_map(|place| unsafe { place.load(Ordering::SeqCst).as_ref() })
}

fn place_of(client: wasmtrap_client_t) -> Option<&'static AtomicPtr<FaultHandler>> {
    // SAFETY: as above.
    let of_client = |handler: *mut FaultHandler| unsafe { handler.as_ref() }.is_some_and(|it| it.client == client);
    FAULT_HANDLERS.iter().find(|place| of_client(place.load(Ordering::SeqCst)))
}

/// Publishes a handler and takes the one before away: when this returns, no thread enters it any more.
///
/// A thread that has found it is at one of these places: it has not pinned it yet, then it is in a section of the
/// readers, which is waited for; or it has, and has not jumped to the function yet: then it finds another function in
/// its place; or it is in the handler.
fn replace(place: &AtomicPtr<FaultHandler>, handler: *mut FaultHandler, unused: &mut Unused) {
    let before = place.swap(handler, Ordering::SeqCst);
    match (before.is_null(), handler.is_null()) {
        (true, false) => _ = FAULT_HANDLER_COUNT.fetch_add(1, Ordering::SeqCst),
        (false, true) => _ = FAULT_HANDLER_COUNT.fetch_sub(1, Ordering::SeqCst),
        _ => (),
    }
    registry::wait_for_readers();
    // SAFETY: null or made by `set`; unpublished, and taken off below only.
    if let Some(handler) = unsafe { before.as_ref() } {
        revoke(handler);
        handler.next.store(REPLACED.load(Ordering::Relaxed), Ordering::Relaxed);
        REPLACED.store(before, Ordering::Relaxed);
    }
    take_replaced(unused);
}

/// Sees to it that no thread enters a handler that it has found before.
fn revoke(handler: &FaultHandler) {
    handler.function.store(nobody as *mut c_void, Ordering::SeqCst);
    platform::restart_jumps();
    // Most handlers are through with what they do in a moment. Where a thread can be between its look at the function
    // and the jump, and cannot be made to look again, it is given this time to jump.
    const LOOKS: u32 = 450;
    let mut patience = Patience::default();
    for _ in 0..LOOKS {
        if handler.pins.load(Ordering::SeqCst) == 0 {
            break;
        }
        patience.pause();
    }
}

/// The handlers that were taken away while a thread was in them.
static REPLACED: AtomicPtr<FaultHandler> = AtomicPtr::new(ptr::null_mut());

/// Takes those of them off that no thread has pinned any more. One that some thread has left by a jump stays: 64 bytes.
fn take_replaced(unused: &mut Unused) {
    let mut link = &REPLACED;
    while let Some(handler) = NonNull::new(link.load(Ordering::Relaxed)) {
        // SAFETY: set by `set` and not freed yet. The list is the lock holder's.
        let FaultHandler { pins, next, .. } = unsafe { handler.as_ref() };
        if pins.load(Ordering::SeqCst) == 0 {
            link.store(next.load(Ordering::Relaxed), Ordering::Relaxed);
            // SAFETY: a pin is set in a section of the readers only, and none is left that could have found this one.
            unsafe { unused.add(handler) };
        } else {
            link = next;
        }
    }
}

#[cfg(test)]
#[path = "fault_handlers_tests.rs"]
pub(crate) mod tests;
