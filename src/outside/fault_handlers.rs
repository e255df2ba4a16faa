//! The clients' fault handlers: setting one and taking one away, which allocates nothing.
//!
//! Called with the library's lock held only.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use super::allocation;
use super::error::{self, Failure, fail};
use super::registry;
use crate::shared::abi::*;
use crate::shared::state::{FAULT_HANDLER_COUNT, FAULT_HANDLERS, FaultHandler};

/// Sets the fault handler of a client, in the place of the one that it had.
pub(crate) fn set(
    client: wasmtrap_client_t,
    function: wasmtrap_fault_handler_t,
    user: *mut c_void,
    kinds: u32,
    any_fault: bool,
) -> Result<(), Failure> {
    let free = || FAULT_HANDLERS.iter().find(|place| place.load(Ordering::Relaxed).is_null());
    let Some(place) = place_of(client).or_else(free) else {
        return Err(fail(WASMTRAP_ERR_LIMIT, format_args!("{WASMTRAP_MAX_CLIENTS} clients have a fault handler")));
    };
    let turn = all().map(|handler| handler.turn).max().unwrap_or(0) + 1;
    let handler =
        allocation::allocate::<FaultHandler>().map_err(|_| error::no_memory(format_args!("the fault handler")))?;
    // SAFETY: fresh memory of the right size and alignment.
    unsafe { handler.write(FaultHandler { function, user, client, kinds, any_fault, turn }) };
    replace(place, handler.as_ptr());
    Ok(())
}

/// Takes the fault handler of a client away.
pub(crate) fn remove(client: wasmtrap_client_t) {
    if let Some(place) = place_of(client) {
        replace(place, ptr::null_mut());
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

/// Publishes a handler, and frees the one before when nobody reads it any more.
fn replace(place: &AtomicPtr<FaultHandler>, handler: *mut FaultHandler) {
    let before = place.swap(handler, Ordering::SeqCst);
    match (before.is_null(), handler.is_null()) {
        (true, false) => _ = FAULT_HANDLER_COUNT.fetch_add(1, Ordering::SeqCst),
        (false, true) => _ = FAULT_HANDLER_COUNT.fetch_sub(1, Ordering::SeqCst),
        _ => (),
    }
    registry::wait_for_readers();
    if let Some(before) = NonNull::new(before) {
        // SAFETY: made by `set`; unpublished, and no reader is left that could have seen it.
        unsafe { allocation::release(before) };
    }
}
