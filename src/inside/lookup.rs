//! Looking ranges up for the host, which may do so in a signal handler of its own: no sentence is written where nothing
//! is found.
//!
//! The host looks in ordinary context too, where any handler may come in, and may leave by a jump, end the thread, or
//! fork. The tables' readers' section would never end by that, and whoever unregisters would wait for ever. So every
//! signal is blocked as long as it lasts.

use core::ffi::c_void;
use core::sync::atomic::Ordering;

use super::decide::Site;
use super::signals::kernel;
use super::{find, tables};
use crate::shared::abi::*;
use crate::shared::last_lookup;
use crate::shared::thread::Thread;
use crate::shared::tree::{self, Entry, Table};

/// `find::find` in ordinary context.
fn find_undisturbed<R>(table: &Table<'_>, address: usize, look: impl FnOnce(&Entry) -> R) -> Option<R> {
    undisturbed(|| find::find(table, address, look))
}

/// Runs `look`, in which sections of the readers begin and end, with every signal blocked.
#[inline(never)]
pub(crate) fn undisturbed<R>(look: impl FnOnce() -> Option<R>) -> Option<R> {
    let mut found = None;
    kernel::with_mask(u64::MAX, || found = look());
    found
}

/// Whether `pc` is in registered code, for a handler that has every signal blocked.
#[cfg_attr(windows, allow(dead_code, reason = "for signals that a handler raises"))]
pub(crate) fn is_in_code(pc: usize) -> bool {
    find::find(&tree::CODE, pc, |_| ()).is_some()
}

/// The same for this thread's wasmtrap_raise, which finds most often what it found the last time.
pub(crate) fn code_that_raises(thread: &Thread, pc: usize) -> Option<last_lookup::Range> {
    // Before the look.
    let version = tree::CODE.version();
    if let Some(known) = thread.last_lookup.get(version, pc) {
        return known;
    }
    undisturbed(|| {
        let found = find::find(&tree::CODE, pc, |entry| {
            let hit = tables::hit(entry, pc);
            let has_site = matches!(hit.site, Site::Code(_));
            last_lookup::Range { id: hit.id, user: hit.user, offset: hit.offset, has_site }
        });
        thread.last_lookup.set(version, pc, found);
        found
    })
}

/// The code range that `pc` is in.
pub(crate) fn code(pc: usize) -> Option<wasmtrap_code_info_t> {
    find_undisturbed(&tree::CODE, pc, |entry| {
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
    find_undisturbed(&tree::REGIONS, address, |entry| wasmtrap_region_info_t {
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
    let set = find_undisturbed(&tree::REGIONS, base, |entry| {
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
