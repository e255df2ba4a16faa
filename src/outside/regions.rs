//! Regions: from a description to an entry of the registry.

use super::code::{insert, range, remove, unknown_flags};
use super::error::Failure;
use super::library;
use super::registry::{self, NewEntry};
use crate::shared::abi::*;

pub(crate) fn register(desc: &wasmtrap_region_desc_t) -> Result<u64, Failure> {
    library::require_ready()?;
    let (start, last) = range("desc->base", desc.base.addr(), "desc->length", desc.length)?;
    if desc.flags != 0 {
        return Err(unknown_flags(desc.flags, "0 is"));
    }
    let new = NewEntry { start, last, user: desc.user.addr(), flags: 0, code: desc.code, sites: None };
    insert(&registry::REGIONS, new, "region")
}

pub(crate) fn unregister(id: u64) -> Result<(), Failure> {
    remove(&registry::REGIONS, id, "region")
}
