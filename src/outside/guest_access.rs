//! Where a protected call may be dropped from any program counter: between two marks that the host sets around its
//! accesses to guest memory.
//!
//! The mark is a word in the frame of the call. So it goes with the call, however that ends, moves with it from thread
//! to thread, and calls within have one of their own.

use core::sync::atomic::Ordering;

use super::clients;
use super::error::{Failure, fail};
use super::threads;
use crate::arch;
use crate::inside::land;
use crate::shared::abi::*;
use crate::shared::activation::{Activation, droppable_for};

/// The protected call that this thread is in.
fn call() -> Result<&'static Activation, Failure> {
    let innermost =
        threads::current().map_or(core::ptr::null(), |thread| land::innermost(thread, arch::stack_pointer()));
    // SAFETY: null or a call that is alive, in whose frame this code runs further in.
    unsafe { innermost.as_ref() }
        .ok_or_else(|| fail(WASMTRAP_ERR_WRONG_THREAD, format_args!("the calling thread is in no protected call")))
}

pub(crate) fn begin(client: wasmtrap_client_t) -> Result<wasmtrap_guest_access_t, Failure> {
    clients::kinds_of(client)?;
    let call = call()?;
    let before = call.droppable.swap(droppable_for(client), Ordering::Relaxed);
    Ok(wasmtrap_guest_access_t { words: [core::ptr::from_ref(call).addr() as u64, before] })
}

pub(crate) fn end(access: &wasmtrap_guest_access_t) -> Result<(), Failure> {
    let [begun_in, before] = access.words;
    let call = call()?;
    if core::ptr::from_ref(call).addr() as u64 != begun_in {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!(
                "access {:#x} was begun in the protected call at {begun_in:#x}, but the innermost one of this thread \
                 is at {:#x}",
                core::ptr::from_ref(access).addr(),
                core::ptr::from_ref(call).addr()
            ),
        ));
    }
    call.droppable.store(before, Ordering::Relaxed);
    Ok(())
}
