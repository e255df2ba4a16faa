//! What a thread has found of the code range that it last raised a trap from, so that it need not look again.
//!
//! A look in ordinary context has to be made with every signal blocked (`inside::lookup`), which takes two system
//! calls. Where the table has not changed since and the address is the same, so is the answer.
//!
//! Invariant: what [`LastLookup::get`] returns was once found whole in the version of the table that it is asked for. A
//! handler on the same thread may come in at any instruction, ask, and leave an answer of its own.

use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence};

/// Of the range that an address is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) id: u64,
    pub(crate) user: usize,
    pub(crate) offset: usize,
    pub(crate) has_site: bool,
}

/// Nobody but its thread, and handlers on that, use it: atomic against these, not against other threads.
pub(crate) struct LastLookup {
    /// Odd while an answer is being written, and another even number after each.
    changes: AtomicU32,
    version: AtomicUsize,
    pc: AtomicUsize,
    /// 0 if the address is in no range.
    id: AtomicU64,
    user: AtomicUsize,
    offset: AtomicUsize,
    has_site: AtomicU32,
}

impl LastLookup {
    pub(crate) const fn new() -> Self {
        Self {
            changes: AtomicU32::new(0),
            // No version of a table.
            version: AtomicUsize::new(usize::MAX),
            pc: AtomicUsize::new(0),
            id: AtomicU64::new(0),
            user: AtomicUsize::new(0),
            offset: AtomicUsize::new(0),
            has_site: AtomicU32::new(0),
        }
    }

    /// What was found for `pc` in this version of the table; `None` if that is not known any more.
    pub(crate) fn get(&self, version: usize, pc: usize) -> Option<Option<Range>> {
        let changes = self.changes.load(Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let id = self.id.load(Ordering::Relaxed);
        let range = Range {
            id,
            user: self.user.load(Ordering::Relaxed),
            offset: self.offset.load(Ordering::Relaxed),
            has_site: self.has_site.load(Ordering::Relaxed) != 0,
        };
        let is_for = self.version.load(Ordering::Relaxed) == version && self.pc.load(Ordering::Relaxed) == pc;
        compiler_fence(Ordering::SeqCst);
        let is_whole = changes & 1 == 0 && self.changes.load(Ordering::Relaxed) == changes;
        (is_for && is_whole).then_some((id != 0).then_some(range))
    }

    pub(crate) fn set(&self, version: usize, pc: usize, found: Option<Range>) {
        // Odd already if whoever was writing has been left by a jump.
        let writing = self.changes.load(Ordering::Relaxed) | 1;
        self.changes.store(writing, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let range = found.unwrap_or(Range { id: 0, user: 0, offset: 0, has_site: false });
        self.version.store(version, Ordering::Relaxed);
        self.pc.store(pc, Ordering::Relaxed);
        self.id.store(range.id, Ordering::Relaxed);
        self.user.store(range.user, Ordering::Relaxed);
        self.offset.store(range.offset, Ordering::Relaxed);
        self.has_site.store(u32::from(range.has_site), Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.changes.store(writing.wrapping_add(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Range = Range { id: 7, user: 8, offset: 9, has_site: true };

    #[test]
    fn it_answers_for_the_same_address_in_the_same_version_only() {
        let last = LastLookup::new();
        assert_eq!(last.get(0, 0), None);
        last.set(3, 100, Some(FOUND));
        assert_eq!(last.get(3, 100), Some(Some(FOUND)));
        assert_eq!(last.get(4, 100), None);
        assert_eq!(last.get(3, 101), None);
        last.set(3, 101, None);
        assert_eq!(last.get(3, 101), Some(None));
        assert_eq!(last.get(3, 100), None);
    }

    #[test]
    fn half_an_answer_is_none() {
        let last = LastLookup::new();
        last.set(3, 100, Some(FOUND));
        last.changes.fetch_add(1, Ordering::Relaxed);
        assert_eq!(last.get(3, 100), None);
        last.set(3, 100, Some(FOUND));
        assert_eq!(last.get(3, 100), Some(Some(FOUND)));
    }
}
