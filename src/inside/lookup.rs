//! Looking ranges up for the host, which may do so in a signal handler of its own: no sentence is written where nothing
//! is found.

use core::ffi::c_void;
use core::sync::atomic::Ordering;

use super::decide::Site;
use super::{find, tables};
use crate::shared::abi::*;
use crate::shared::tree::{self, Entry};

/// The code range that `pc` is in.
pub(crate) fn code(pc: usize) -> Option<wasmtrap_code_info_t> {
    find::find(&tree::CODE, pc, |entry| {
        let hit = tables::hit(entry, pc);
        let (has_site, site_code) = match hit.site {
            Site::Code(code) => (1, code),
            Site::NoTable | Site::NotListed => (0, WASMTRAP_CODE_NONE),
        };
        wasmtrap_code_info_t {
            struct_size: size_of::<wasmtrap_code_info_t>(),
            id: hit.id,
            start: entry.start as *const c_void,
            length: length(entry),
            user: hit.user as *mut c_void,
            offset: hit.offset,
            has_site,
            site_code,
        }
    })
}

/// The region that `address` is in.
pub(crate) fn region(address: usize) -> Option<wasmtrap_region_info_t> {
    find::find(&tree::REGIONS, address, |entry| wasmtrap_region_info_t {
        struct_size: size_of::<wasmtrap_region_info_t>(),
        id: entry.id,
        base: entry.start as *const c_void,
        length: length(entry),
        user: entry.user as *mut c_void,
        offset: address.wrapping_sub(entry.start),
        accessible: entry.accessible.load(Ordering::Relaxed),
        code: entry.code,
        accessible_code: entry.accessible_code,
        client: entry.client,
        flags: entry.flags,
    })
}

/// Notes how much of the region that begins at `base` is accessible.
pub(crate) fn set_accessible(base: usize, accessible: usize) -> wasmtrap_status_t {
    let set = find::find(&tree::REGIONS, base, |entry| {
        if entry.start != base {
            WASMTRAP_ERR_NOT_FOUND
        } else if accessible > length(entry) {
            WASMTRAP_ERR_INVALID_ARGUMENT
        } else {
            // A fault is looked at by the thread that had it, or waits for an answer. What else the host orders by the
            // growth of a memory is its own affair.
            entry.accessible.store(accessible, Ordering::Relaxed);
            WASMTRAP_OK
        }
    });
    set.unwrap_or(WASMTRAP_ERR_NOT_FOUND)
}

/// The length of an entry. That of all addresses, which nobody can register, would be 0.
fn length(entry: &Entry) -> usize {
    (entry.last - entry.start).wrapping_add(1)
}
