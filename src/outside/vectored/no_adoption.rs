//! Engines' vectored handlers are not adopted. The same items as `adoption` has.
//!
//! Adoption finds out what an engine has installed by reading it back. Of vectored handlers nothing can be read back:
//! ntdll keeps them encoded, in a list that nobody has documented. What adoption is for is there without: each of them
//! is asked in turn, and a host that knows an engine's handler calls it from a fault handler, with the record and the
//! context that it is given.

use crate::outside::error::{Failure, fail};
use crate::outside::library;
use crate::outside::signals::Room;
use crate::shared::abi::*;

/// No adoptions.
pub(crate) struct Adoptions;

impl Adoptions {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) fn kinds(&self) -> u32 {
        0
    }

    pub(crate) fn require_none_begun(&self) -> Result<(), Failure> {
        Ok(())
    }

    pub(crate) fn end_of(&mut self, _client: wasmtrap_client_t, _room: &mut Room) {}

    pub(crate) fn forget_kinds(&mut self) {}

    pub(crate) fn end_of_other_threads(&mut self) {}
}

fn unsupported() -> Failure {
    fail(
        WASMTRAP_ERR_UNSUPPORTED,
        format_args!(
            "engines' vectored exception handlers cannot be read back, and so not be adopted: each is asked in turn; \
             to have one asked before others, call it from a fault handler (wasmtrap_set_fault_handler)"
        ),
    )
}

/// The same errors come first as elsewhere.
pub(crate) fn begin(client: wasmtrap_client_t) -> Result<(), Failure> {
    library::with_clients(|clients| clients.get(client).map(|_| ())).ok_or_else(|| super::clients::not_open(client))?;
    Err(unsupported())
}

pub(crate) fn end(_flags: u32) -> Result<u64, Failure> {
    library::require_ready()?;
    Err(unsupported())
}

fn unknown(id: u64) -> Failure {
    fail(WASMTRAP_ERR_UNKNOWN_ID, format_args!("id {id} is not, or no longer, that of an adopted engine"))
}

pub(crate) fn release(id: u64) -> Result<(), Failure> {
    library::require_ready()?;
    Err(unknown(id))
}

pub(crate) fn enter(id: u64) -> Result<u64, Failure> {
    library::require_ready()?;
    Err(unknown(id))
}

pub(crate) fn leave(_before: u64) -> Result<(), Failure> {
    library::require_ready()
}

pub(crate) fn each(_each: impl FnMut(u64, wasmtrap_client_t, usize)) {}
