//! The tables of code ranges and regions as readers see them: an atomic root and, below it, nodes that never change.
//!
//! A table is a B+tree of ranges by their start. A writer never changes a published node: it builds new nodes for the
//! path from the root to the change, shares all others, and publishes a new root (`outside::tree_edit`). So a reader
//! that has loaded a root sees one version of the whole table for as long as it likes.
//!
//! Invariants of a published tree:
//! - a node has 1 to [`FANOUT`] slots, by strictly ascending key, and at least [`LEAST`] unless it is the root; a root
//!   that is no leaf has at least 2;
//! - the key of a slot is the least key below it, and the keys past the last slot are `usize::MAX`;
//! - all leaves, level 0, are at the same depth.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::abi::{wasmtrap_client_t, wasmtrap_site_t};
use super::readers::{READERS, Readers, publish, published};

pub(crate) type Site = wasmtrap_site_t;

/// The registered ranges of code.
pub(crate) static CODE: Table<'static> = Table::new(&READERS);

/// The registered regions of data addresses.
pub(crate) static REGIONS: Table<'static> = Table::new(&READERS);

/// A registered range, of code or of data. Never changed once published, but for what is accessible of a region.
#[derive(Debug)]
pub(crate) struct Entry {
    /// First address.
    pub(crate) start: usize,
    /// Last address, itself in the range, so that a range can end at `usize::MAX`.
    pub(crate) last: usize,
    /// Never 0, and never given to two entries, be they of one table or of two.
    pub(crate) id: u64,
    pub(crate) user: usize,
    pub(crate) flags: u32,
    /// The trap code of a region.
    pub(crate) code: u32,
    /// The trap code of a region's accessible part, WASMTRAP_CODE_NONE if faults there are nobody's trap.
    pub(crate) accessible_code: u32,
    /// How much of a region is accessible, from its start.
    pub(crate) accessible: AtomicUsize,
    /// Whose it is.
    pub(crate) client: wasmtrap_client_t,
    /// The kinds of fault (WASMTRAP_FAULT_*) that may be traps in a code range.
    pub(crate) kinds: u32,
    /// The trap sites by ascending offset. Null if the range came without a table of them; not null, though not to be
    /// read, if it came with an empty one.
    pub(crate) sites: *const Site,
    pub(crate) site_count: usize,
    /// The writers' own: the next entry in a list of entries that no reader sees any more.
    pub(crate) next: AtomicPtr<Entry>,
}

impl Entry {
    /// Whether the range came with a table of trap sites, be it an empty one.
    #[inline]
    pub(crate) fn has_sites(&self) -> bool {
        !self.sites.is_null()
    }
}

/// Slots of a node: 15 keys and 15 slots, beside 16 bytes of other things, fill four cache lines, and 15 keys are
/// searched in two rounds of three comparisons.
pub(crate) const FANOUT: usize = 15;

/// A node that is not the root has no fewer slots. Half of FANOUT + 1 at most, so that a node that overflows makes two.
pub(crate) const LEAST: usize = 7;

/// What a key leads to: an entry in a leaf, a node elsewhere.
#[derive(Clone, Copy)]
pub(crate) union Slot {
    pub(crate) child: *const Node,
    pub(crate) entry: *const Entry,
}

/// A node of a tree.
#[repr(C, align(64))]
pub(crate) struct Node {
    /// 0 for a leaf, else one more than that of its children.
    pub(crate) level: u32,
    /// How many slots are in use.
    pub(crate) count: u32,
    /// The writers' own: the next node in a list of nodes that are part of no published tree any more. Atomic because
    /// readers may still hold references to the node.
    pub(crate) next: AtomicPtr<Node>,
    pub(crate) keys: [usize; FANOUT],
    pub(crate) slots: [Slot; FANOUT],
}

const _: () = assert!(size_of::<Node>() == 256);

/// The keys and slots of a node of which none is in use.
pub(crate) const UNUSED: ([usize; FANOUT], [Slot; FANOUT]) =
    ([usize::MAX; FANOUT], [Slot { child: ptr::null() }; FANOUT]);

impl Node {
    pub(crate) const fn new(level: u32, count: u32, keys: [usize; FANOUT], slots: [Slot; FANOUT]) -> Self {
        Self { level, count, next: AtomicPtr::new(ptr::null_mut()), keys, slots }
    }
}

/// Where readers begin: the root of the current version, null if nothing is registered.
pub(crate) struct Table<'r> {
    root: AtomicPtr<Node>,
    /// How many versions have been published before.
    version: AtomicUsize,
    /// Whoever reads the table is counted here.
    pub(crate) readers: &'r Readers,
}

impl<'r> Table<'r> {
    pub(crate) const fn new(readers: &'r Readers) -> Self {
        Self { root: AtomicPtr::new(ptr::null_mut()), version: AtomicUsize::new(0), readers }
    }

    /// The current version. It lasts as long as a section of `readers` that began before the call, or the writers'
    /// lock.
    #[inline]
    pub(crate) fn root(&self) -> *const Node {
        published(&self.root)
    }

    /// The number of the current version, or of the one before while that is being published. What is found in a root
    /// that was loaded after it holds as long as it is the same.
    pub(crate) fn version(&self) -> usize {
        self.version.load(Ordering::SeqCst)
    }

    /// Makes `root` the current version.
    ///
    /// # Safety
    /// The caller has the writers' lock. `root` is null or a tree that keeps the invariants above; its nodes and
    /// entries do not change, and are freed only after they have been taken out and a grace period has passed.
    pub(crate) unsafe fn publish(&self, root: *const Node) {
        publish(&self.root, root.cast_mut());
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_publication_is_another_version() {
        let readers = Readers::new();
        let table = Table::new(&readers);
        let mut versions = vec![table.version()];
        for _ in 0..3 {
            // SAFETY: no tree, which nobody else has.
            unsafe { table.publish(ptr::null()) };
            assert!(!versions.contains(&table.version()), "{versions:?}");
            versions.push(table.version());
        }
    }
}
