//! Adopted engines: which handler of theirs is offered a fault, and who comes next if that one declines.
//!
//! The order: the engines whose fault it is, by what the host has said (a range with WASMTRAP_CODE_ADOPTED, or the mark
//! of the thread); the library with its tables and fault handlers; the other engines, in the order in which they were
//! adopted; who was there before the library. It follows from the fault and the tables alone, so that whoever has been
//! asked can be left again at any place: a handler that calls what it takes for its earlier one goes on from there.

use core::sync::atomic::Ordering;

use super::find;
use crate::arch;
use crate::shared::abi::*;
use crate::shared::adopted::{self, Adopted};
use crate::shared::disposition::Disposition;
use crate::shared::thread::Thread;
use crate::shared::tree;

/// How far a fault has come. Everything before that has declined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// The engines whose fault it is, up to this id.
    Owners(u64),
    /// The library, and then the other engines up to this id.
    Others(u64),
}

/// Nobody has been asked.
pub(crate) const NOBODY: Asked = Asked::Owners(0);

/// Who is to be asked.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    /// A handler of an engine's.
    Engine(&'static Disposition),
    /// The library itself.
    Library,
    /// Who was there before.
    Earlier,
}

/// Whose faults those of a program counter are. No enum, of whose kinds the compiler makes a table of jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Owner {
    /// The client in whose code it is; one more than the number, 0 for nobody's code.
    client: u64,
    /// That is code of what this client has adopted.
    adopted: bool,
    /// In nobody's code: the adopted engine that the thread is marked with, by its id.
    marked: u64,
}

impl Owner {
    fn of(pc: usize, thread: Option<&Thread>) -> Self {
        let in_code = find::find(&tree::CODE, pc, |entry| Self {
            client: u64::from(entry.client) + 1,
            adopted: entry.flags & WASMTRAP_CODE_ADOPTED != 0,
            marked: 0,
        });
        let marked = thread.map_or(0, |thread| thread.adopted.get());
        in_code.unwrap_or(Self { client: 0, adopted: false, marked })
    }
}

/// Faults of one signal, by its index in `SIGNALS`, at one place.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    signal: usize,
    owner: Owner,
}

impl Faults {
    /// Those of a thread at `pc`; without one, of a thread that nothing is known of.
    pub(crate) fn of(signal: usize, pc: usize, thread: Option<&Thread>) -> Self {
        Self { signal, owner: Owner::of(pc, thread) }
    }

    /// Those of this thread.
    pub(crate) fn of_this_thread(signal: usize, pc: usize) -> Self {
        // SAFETY: null or this thread's record, which only this thread frees.
        Self::of(signal, pc, unsafe { arch::current_thread().as_ref() })
    }

    fn is_in_code_of(&self, engine: &Adopted) -> bool {
        self.owner.client == u64::from(engine.client.load(Ordering::Relaxed)) + 1
    }

    fn is_owner(&self, engine: &Adopted) -> bool {
        let marked = self.owner.marked != 0 && self.owner.marked == engine.id.load(Ordering::Relaxed);
        marked || self.owner.adopted && self.is_in_code_of(engine)
    }

    /// Whether an engine that is not the owner may be asked: not about what is another client's.
    fn may_ask(&self, engine: &Adopted) -> bool {
        !engine.own_faults_only() && (self.owner.client == 0 || self.is_in_code_of(engine))
    }

    /// The engine with the lowest id above `after` that has a handler and is one of those.
    fn first_after(&self, after: u64, wanted: impl Fn(&Adopted) -> bool) -> Option<(&'static Disposition, u64)> {
        let mut found: Option<(&'static Disposition, u64)> = None;
        for engine in adopted::in_use().filter(|engine| engine.is_adopted()) {
            let id = engine.id.load(Ordering::Relaxed);
            let Some(handler) = engine.handler(self.signal) else { continue };
            if id > after && found.is_none_or(|(_, lowest)| id < lowest) && wanted(engine) {
                found = Some((handler, id));
            }
        }
        found
    }

    /// Whether any engine is the owner.
    #[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "for backends in which another thread looks"))]
    pub(crate) fn concern_owners(&self) -> bool {
        self.first_after(0, |engine| self.is_owner(engine)).is_some()
    }

    /// Whether any engine is to be asked at all.
    #[cfg_attr(not(any(wasmtrap_mach, windows)), allow(dead_code, reason = "for exceptions, which cost more to offer"))]
    pub(crate) fn concern_engines(&self) -> bool {
        self.first_after(0, |engine| self.is_owner(engine) || self.may_ask(engine)).is_some()
    }

    /// Who comes after `asked`, and what has been asked then.
    pub(crate) fn next(&self, asked: Asked) -> (Next, Asked) {
        match asked {
            Asked::Owners(after) => match self.first_after(after, |engine| self.is_owner(engine)) {
                Some((handler, id)) => (Next::Engine(handler), Asked::Owners(id)),
                None => (Next::Library, Asked::Others(0)),
            },
            Asked::Others(after) => {
                let others = |engine: &Adopted| !self.is_owner(engine) && self.may_ask(engine);
                match self.first_after(after, others) {
                    Some((handler, id)) => (Next::Engine(handler), Asked::Others(id)),
                    None => (Next::Earlier, Asked::Others(u64::MAX)),
                }
            }
        }
    }

    /// What has been asked when this engine has been.
    #[cfg_attr(windows, allow(dead_code, reason = "for handlers that decline by calling an earlier one"))]
    pub(crate) fn asked_up_to(&self, engine: &Adopted) -> Asked {
        let id = engine.id.load(Ordering::Relaxed);
        if self.is_owner(engine) { Asked::Owners(id) } else { Asked::Others(id) }
    }
}

#[cfg(test)]
#[path = "adopted_tests.rs"]
mod tests;
