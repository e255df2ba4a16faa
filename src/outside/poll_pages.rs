//! Pages that guests poll: each a page of memory with a region over it, which is readable until somebody wants the
//! guest to stop.

use core::ffi::c_void;

use super::clients;
use super::error::{self, Failure, fail};
use super::{library, platform, regions};
use crate::inside::lookup;
use crate::shared::abi::*;

pub(crate) fn open(client: wasmtrap_client_t, code: wasmtrap_code_t) -> Result<*const c_void, Failure> {
    if clients::kinds_of(client)? & WASMTRAP_FAULT_MEMORY == 0 {
        return Err(error::invalid(format_args!("client is {client}, which takes no memory faults")));
    }
    if code == WASMTRAP_CODE_NONE {
        return Err(error::invalid(format_args!("code is 0 (WASMTRAP_CODE_NONE), which says nothing")));
    }
    let size = platform::page_size();
    let page = platform::map_page().map_err(|errno| match errno {
        None => error::no_memory(format_args!("a page that is polled")),
        Some((call, errno)) => error::system(call, errno),
    })?;
    regions::register_poll_page(page, size, client, code).inspect_err(|_| {
        // SAFETY: the page from above, which nobody has seen.
        unsafe { platform::unmap_page(page) };
    })?;
    Ok(page)
}

/// The region of a page, if it is one.
fn check(page: *const c_void) -> Result<(), Failure> {
    library::require_ready()?;
    match lookup::region(page.addr()) {
        Some(region) if region.base == page && region.flags & WASMTRAP_REGION_POLL_PAGE != 0 => Ok(()),
        _ => Err(fail(
            WASMTRAP_ERR_NOT_FOUND,
            format_args!("page is {:#x}, which is none of wasmtrap_poll_page_open, or was closed", page.addr()),
        )),
    }
}

pub(crate) fn set(page: *const c_void, stops: bool) -> Result<(), Failure> {
    check(page)?;
    // SAFETY: a page of `open`, which is nobody else's.
    unsafe { platform::protect_page(page, stops) }.map_err(|(call, errno)| error::system(call, errno))
}

pub(crate) fn close(page: *const c_void) -> Result<(), Failure> {
    check(page)?;
    regions::unregister_at(page.addr())?;
    // SAFETY: a page of `open`; the caller says that no guest polls it any more.
    unsafe { platform::unmap_page(page) };
    Ok(())
}
