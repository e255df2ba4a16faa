//! The world as the decision sees it: the registered tables and this thread.

use core::sync::atomic::Ordering;

use super::decide::{CodeHit, RegionHit, Site, World};
use super::{find, land};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::readers::{READERS, Section};
use crate::shared::state::{self, FaultHandler};
use crate::shared::thread::{StackBounds, Thread};
use crate::shared::tree::{self, Entry};

/// The library as it is now. As long as this lives, nothing that it leads to is freed: it must be gone before the
/// embedder's code runs, which may wait for that or never return.
pub(crate) struct Live<'a> {
    section: Section<'static>,
    /// The kinds of fault that are taken; none for a fault of the embedder's handler.
    kinds: u32,
    /// The stack pointer of the code that faulted.
    sp: usize,
    pub(crate) fault_handler: Option<FaultHandler>,
    /// The thread that faulted, if it is another one than this.
    stopped: Option<&'a Thread>,
}

impl<'a> Live<'a> {
    /// For a fault of this thread.
    pub(crate) fn now(sp: usize) -> Self {
        Self::of(None, sp, true)
    }

    /// The same where there was no fault handler a moment ago.
    #[inline(always)]
    pub(crate) fn without_fault_handler(sp: usize) -> Self {
        Self::of(None, sp, false)
    }

    /// For a fault of `thread`, which waits in the kernel.
    #[cfg(wasmtrap_mach)]
    pub(crate) fn of_stopped(thread: &'a Thread, sp: usize) -> Self {
        Self::of(Some(thread), sp, true)
    }

    #[inline(always)]
    fn of(stopped: Option<&'a Thread>, sp: usize, with_fault_handler: bool) -> Self {
        let section = READERS.enter();
        let fault_handler = with_fault_handler
            .then(|| state::FAULT_HANDLER.load(Ordering::SeqCst))
            // SAFETY: null or a handler that is freed only when no section is left that could have seen it.
            .and_then(|handler| unsafe { handler.as_ref() }.copied());
        let mut live = Self { section, sp, fault_handler, stopped, kinds: 0 };
        if !live.is_fault_handlers_own() {
            live.kinds = state::ARMED_KINDS.load(Ordering::Relaxed);
        }
        live
    }

    /// A fault of the embedder's fault handler is nobody's trap, whatever the tables say.
    #[cfg(wasmtrap_mach)]
    fn is_fault_handlers_own(&self) -> bool {
        self.fault_handler.is_some() && self.thread().is_some_and(|thread| thread.mach.on_callback_stack(self.sp))
    }

    /// With signals it is the entry point that sees to this.
    #[cfg(not(wasmtrap_mach))]
    fn is_fault_handlers_own(&self) -> bool {
        false
    }

    fn thread(&self) -> Option<&'a Thread> {
        // SAFETY: null or this thread's record, which only this thread frees.
        self.stopped.or_else(|| unsafe { arch::current_thread().as_ref() })
    }
}

/// What a code range says of a program counter in it.
#[inline(always)]
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

impl World for Live<'_> {
    #[inline(always)]
    fn kinds(&self) -> u32 {
        self.kinds
    }

    #[inline(always)]
    fn has_fault_handler(&self) -> bool {
        self.fault_handler.is_some()
    }

    #[inline(always)]
    fn code(&self, pc: usize) -> Option<CodeHit> {
        let entry = find::find_in(&self.section, &tree::CODE, pc)?;
        Some(hit(entry, pc))
    }

    #[inline(always)]
    fn protected_stack(&self) -> Option<StackBounds> {
        let thread = self.thread()?;
        (!land::landing_place(thread, self.sp).is_null()).then(|| thread.stack.get())
    }

    #[inline(always)]
    fn region(&self, address: usize) -> Option<RegionHit> {
        let entry = find::find_in(&self.section, &tree::REGIONS, address)?;
        Some(RegionHit { id: entry.id, user: entry.user, offset: address - entry.start, code: entry.code })
    }
}
