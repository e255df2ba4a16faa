//! The code that Wasmtime has made executable, registered with libwasmtrap: a fault elsewhere is none of Wasmtime's.
//!
//! Registered without any trap site, so that by libwasmtrap's own tables nothing in it is ever a trap: what Wasmtime
//! does not take is a crash, inside of a protected call of somebody else's too.
//!
//! What is kept: a range is in the table exactly as long as it is executable. Ranges are whole calls of
//! `wasmtime_mprotect`; of one that is unmapped in part, nothing stays registered.

use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ffi::c_void;

use wasmtrap::abi::*;
use wasmtrap::capi;

use crate::{fork, traps};

/// A registered range.
#[derive(Clone, Copy)]
struct Range {
    start: usize,
    length: usize,
    id: u64,
}

/// The ranges, by ascending start, none overlapping another, and the lock that they are reached by.
struct Table {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    ranges: UnsafeCell<Vec<Range>>,
}

// SAFETY: the ranges are reached by `change` only, under the lock.
unsafe impl Sync for Table {}

static TABLE: Table =
    Table { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), ranges: UnsafeCell::new(Vec::new()) };

impl Table {
    fn change<R>(&self, edit: impl FnOnce(&mut Vec<Range>) -> R) -> R {
        fork::before_lock();
        // SAFETY: initialised statically, and never destroyed or moved.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        // SAFETY: the lock is held; `edit` knows nothing of this table, so that it cannot come here again.
        let result = edit(unsafe { &mut *self.ranges.get() });
        // SAFETY: taken above.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
        fork::after_lock();
        result
    }
}

/// No trap sites, told from "any instruction may trap" by not being null.
static NO_SITES: [wasmtrap_site_t; 1] = [wasmtrap_site_t { offset: 0, code: WASMTRAP_CODE_NONE }];

/// What the fault handler knows Wasmtime's ranges by: an address that is this library's own.
pub(crate) fn mark() -> *mut c_void {
    (&raw const NO_SITES).cast_mut().cast()
}

/// Registers a range. An error number if there is no memory for it. A range that is registered already stays so.
pub(crate) fn executable(start: *mut u8, length: usize) -> Result<(), i32> {
    forget(start, length);
    let desc = wasmtrap_code_desc_t {
        struct_size: size_of::<wasmtrap_code_desc_t>(),
        start: start.cast_const().cast(),
        length,
        sites: NO_SITES.as_ptr(),
        site_count: 0,
        flags: WASMTRAP_CODE_STRICT,
        user: mark(),
        client: traps::client(),
        fault_kinds: 0,
    };
    TABLE.change(|ranges| {
        ranges.try_reserve(1).map_err(|_| libc::ENOMEM)?;
        let mut id = 0;
        // SAFETY: both live during the call, and the sizes are right.
        match unsafe { capi::wasmtrap_code_register(&raw const desc, &raw mut id) } {
            WASMTRAP_OK => {}
            // Wasmtime without traps by signals: it works, and no fault of its code is ever a trap.
            WASMTRAP_ERR_NOT_INITIALIZED => return Ok(()),
            WASMTRAP_ERR_OVERLAP => return Err(libc::EEXIST),
            _ => return Err(libc::ENOMEM),
        }
        let place = ranges.partition_point(|range| range.start < start.addr());
        ranges.insert(place, Range { start: start.addr(), length, id });
        Ok(())
    })
}

/// Unregisters all that overlaps the range, before it is unmapped or loses its code. Afterwards no handler looks at it.
pub(crate) fn forget(start: *mut u8, length: usize) {
    let (start, end) = (start.addr(), start.addr().saturating_add(length));
    TABLE.change(|ranges| {
        let first = ranges.partition_point(|range| range.start + range.length <= start);
        let last = ranges.partition_point(|range| range.start < end);
        if first < last {
            for range in ranges.drain(first..last) {
                // Unknown after a shutdown of libwasmtrap, which forgets all by itself.
                capi::wasmtrap_code_unregister(range.id);
            }
        }
    });
}
