//! Regions: from a description to an entry of the registry.

use super::clients;
use super::code::{insert, range, remove, remove_at, unknown_flags};
use super::error::{Failure, fail};
use super::registry::{self, NewEntry};
use crate::shared::abi::*;

pub(crate) fn register(desc: &wasmtrap_region_desc_t) -> Result<u64, Failure> {
    let kinds = clients::kinds_of(desc.client)?;
    let (start, last) = range("desc->base", desc.base.addr(), "desc->length", desc.length)?;
    if desc.flags & !WASMTRAP_REGION_ANY_PC != 0 {
        return Err(unknown_flags(desc.flags, "0 and WASMTRAP_REGION_ANY_PC are"));
    }
    if desc.flags & WASMTRAP_REGION_ANY_PC != 0 && kinds & WASMTRAP_FAULT_MEMORY == 0 {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!(
                "desc->flags is {:#x} (WASMTRAP_REGION_ANY_PC), but client {} takes no memory faults (its kinds are \
                 {kinds:#x})",
                desc.flags, desc.client
            ),
        ));
    }
    if desc.accessible > desc.length {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("desc->accessible is {}, more than the region's {} bytes", desc.accessible, desc.length),
        ));
    }
    let new = NewEntry {
        start,
        last,
        user: desc.user.addr(),
        flags: desc.flags,
        code: desc.code,
        accessible: desc.accessible,
        accessible_code: desc.accessible_code,
        client: desc.client,
        kinds: 0,
        sites: None,
    };
    insert(&registry::REGIONS, new, "region")
}

/// Registers a page that guests poll.
pub(crate) fn register_poll_page(
    page: *const core::ffi::c_void,
    size: usize,
    client: wasmtrap_client_t,
    code: wasmtrap_code_t,
) -> Result<u64, Failure> {
    let new = NewEntry {
        start: page.addr(),
        last: page.addr() + (size - 1),
        user: 0,
        flags: WASMTRAP_REGION_POLL_PAGE,
        code,
        accessible: 0,
        accessible_code: WASMTRAP_CODE_NONE,
        client,
        kinds: 0,
        sites: None,
    };
    insert(&registry::REGIONS, new, "region")
}

pub(crate) fn unregister(id: u64) -> Result<(), Failure> {
    remove(&registry::REGIONS, id, "region")
}

pub(crate) fn unregister_at(base: usize) -> Result<(), Failure> {
    remove_at(&registry::REGIONS, base, "base", "region")
}
