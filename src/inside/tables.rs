//! The world as the decision sees it: the registered tables and this thread.

use core::sync::atomic::Ordering;

use super::decide::{CodeHit, Findings, Kind, RegionHit, Site, World};
use super::{backend, find, land};
use crate::arch;
use crate::shared::abi::*;
use crate::shared::readers::{READERS, Section};
use crate::shared::state::{self, FaultHandler, Pinned};
use crate::shared::thread::{RunningStack, Thread};
use crate::shared::tree::{self, Entry};

/// Who has been asked about a fault.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// No fault handler.
    Nobody,
    /// That of the client whose fault it is.
    Owner,
    /// All up to this turn.
    UpTo(u64),
}

/// The library as it is now. As long as this lives, nothing that it leads to is freed: it must be gone before the
/// embedder's code runs, which may wait for that or never return.
pub(crate) struct Live<'a> {
    section: Section<'static>,
    /// The kinds of fault that are taken; none for a fault of the embedder's handler.
    kinds: u32,
    /// The stack pointer of the code that faulted.
    sp: usize,
    fault_handlers: bool,
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
    pub(crate) fn without_fault_handlers(sp: usize) -> Self {
        Self::of(None, sp, false)
    }

    /// For a fault of `thread`, which waits in the kernel.
    #[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "for backends in which another thread looks"))]
    pub(crate) fn of_stopped(thread: &'a Thread, sp: usize) -> Self {
        Self::of(Some(thread), sp, true)
    }

    #[inline(always)]
    fn of(stopped: Option<&'a Thread>, sp: usize, with_fault_handlers: bool) -> Self {
        let section = READERS.enter();
        let fault_handlers = with_fault_handlers && state::FAULT_HANDLER_COUNT.load(Ordering::SeqCst) != 0;
        let mut live = Self { section, sp, fault_handlers, stopped, kinds: 0 };
        if !live.is_fault_handlers_own() {
            live.kinds = state::ARMED_KINDS.load(Ordering::Relaxed);
        }
        live
    }

    /// A fault of the embedder's fault handler is nobody's trap, whatever the tables say. With signals it is the entry
    /// point that sees to this.
    fn is_fault_handlers_own(&self) -> bool {
        self.fault_handlers && self.thread().is_some_and(|thread| backend::runs_fault_handler(thread, self.sp))
    }

    /// The fault handler that is to be asked when these have been: first that of the client whose fault it is; then, if
    /// the fault is no trap by the tables, those that asked for any fault, in the order in which they were set.
    pub(crate) fn next_to_ask(&self, kind: Kind, findings: &Findings, asked: Asked) -> Option<Pinned> {
        // SAFETY: found in the section.
        self.find_next_to_ask(kind, findings, asked).map(|handler| unsafe { Pinned::new(handler) })
    }

    fn find_next_to_ask(&self, kind: Kind, findings: &Findings, asked: Asked) -> Option<&FaultHandler> {
        if !self.fault_handlers {
            return None;
        }
        let owner = findings.owner();
        let of_this_kind = || {
            state::used_fault_handlers()
                // SAFETY: null or a handler that is freed only when no section is left that could have seen it.
                .filter_map(|place| unsafe { place.load(Ordering::SeqCst).as_ref() })
                .filter(|handler| handler.kinds & kind.bit() != 0)
        };
        let (owners_turn, after) = match asked {
            Asked::Nobody => (true, 0),
            Asked::Owner => (false, 0),
            Asked::UpTo(turn) => (false, turn),
        };
        let owners = || of_this_kind().find(|handler| Some(handler.client) == owner);
        if owners_turn && let Some(handler) = owners() {
            return Some(handler);
        }
        if findings.trap.is_some() {
            return None;
        }
        of_this_kind()
            .filter(|handler| handler.any_fault && handler.turn > after && Some(handler.client) != owner)
            .min_by_key(|handler| handler.turn)
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
    CodeHit {
        id: entry.id,
        user: entry.user,
        client: entry.client,
        kinds: entry.kinds,
        offset,
        strict: entry.flags & WASMTRAP_CODE_STRICT != 0,
        site,
    }
}

impl World for Live<'_> {
    #[inline(always)]
    fn kinds(&self) -> u32 {
        self.kinds
    }

    #[inline(always)]
    fn has_fault_handlers(&self) -> bool {
        self.fault_handlers
    }

    #[inline(never)]
    fn is_to_be_asked(&self, kind: Kind, findings: &Findings) -> bool {
        self.find_next_to_ask(kind, findings, Asked::Nobody).is_some()
    }

    #[inline(always)]
    fn code(&self, pc: usize) -> Option<CodeHit> {
        let entry = find::find_in(&self.section, &tree::CODE, pc)?;
        Some(hit(entry, pc))
    }

    #[inline(always)]
    fn protected_stack(&self) -> Option<RunningStack> {
        let thread = self.thread()?;
        land::can_land(thread, self.sp).then(|| RunningStack { bounds: thread.stack.get(), sp: self.sp })
    }

    #[inline(always)]
    fn region(&self, address: usize) -> Option<RegionHit> {
        let entry = find::find_in(&self.section, &tree::REGIONS, address)?;
        Some(RegionHit {
            id: entry.id,
            user: entry.user,
            client: entry.client,
            offset: address - entry.start,
            code: entry.code,
            accessible: address - entry.start < entry.accessible.load(Ordering::Relaxed),
            accessible_code: entry.accessible_code,
            any_pc: entry.flags & WASMTRAP_REGION_ANY_PC != 0,
        })
    }

    #[inline(never)]
    fn may_be_dropped(&self, client: wasmtrap_client_t) -> bool {
        self.thread().is_some_and(|thread| land::may_be_dropped(land::innermost(thread, self.sp), client))
    }
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
