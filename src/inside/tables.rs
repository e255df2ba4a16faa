//! The world as the decision sees it: the registered tables and this thread.

use core::sync::atomic::Ordering;

use super::decide::{CodeHit, RegionHit, Site, World};
use super::{find, land};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::readers::READERS;
use crate::shared::state::{self, FaultHandler};
use crate::shared::thread::StackBounds;
use crate::shared::tree::{self, Entry};

/// The library as it is now.
pub(crate) struct Live {
    /// The stack pointer of the code that faulted.
    sp: usize,
    pub(crate) fault_handler: Option<FaultHandler>,
}

impl Live {
    pub(crate) fn now(sp: usize) -> Self {
        let _section = READERS.enter();
        let handler = state::FAULT_HANDLER.load(Ordering::SeqCst);
        // SAFETY: null or a handler that is freed only when no section is left that could have seen it.
        Self { sp, fault_handler: unsafe { handler.as_ref() }.copied() }
    }
}

/// What a code range says of a program counter in it.
pub(crate) fn hit(entry: &Entry, pc: usize) -> CodeHit {
    let offset = pc.wrapping_sub(entry.start);
    let site = if !entry.has_sites() {
        Site::NoTable
    } else {
        match u32::try_from(offset).ok().and_then(|offset| find::site_code(entry, offset)) {
            Some(code) => Site::Code(code),
            None => Site::NotListed,
        }
    };
    CodeHit { id: entry.id, user: entry.user, offset, strict: entry.flags & WASMTRAP_CODE_STRICT != 0, site }
}

impl World for Live {
    fn kinds(&self) -> u32 {
        state::ARMED_KINDS.load(Ordering::Relaxed)
    }

    fn has_fault_handler(&self) -> bool {
        self.fault_handler.is_some()
    }

    fn code(&self, pc: usize) -> Option<CodeHit> {
        find::find(&tree::CODE, pc, |entry| hit(entry, pc))
    }

    fn protected_stack(&self) -> Option<StackBounds> {
        // SAFETY: null or this thread's record, which only this thread frees.
        let thread = unsafe { arch::current_thread().as_ref() }?;
        (!land::landing_place(thread, self.sp).is_null()).then(|| thread.stack.get())
    }

    fn region(&self, address: usize) -> Option<RegionHit> {
        find::find(&tree::REGIONS, address, |entry| RegionHit {
            id: entry.id,
            user: entry.user,
            offset: address - entry.start,
            code: entry.code,
        })
    }
}
