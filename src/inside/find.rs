//! Reading the tables: which range is an address in, and is an offset one of its trap sites.
//!
//! Wait-free: as many steps as the tree is deep, none of which waits, writes to anything shared but the reader's own
//! counter, or can fail. Nothing here may panic, so slots are not indexed with a check.

use crate::arch;
use crate::shared::readers::Section;
use crate::shared::tree::{Entry, FANOUT, Node, Table};

/// Lets `look` see the entry that `address` is in. The entry and its sites last until `look` returns.
#[inline(always)]
pub(crate) fn find<R>(table: &Table<'_>, address: usize, look: impl FnOnce(&Entry) -> R) -> Option<R> {
    // First of all: a root loaded outside of a section might be freed.
    let section = table.readers.enter();
    find_in(&section, table, address).map(look)
}

/// The same in a section of the table's readers that has begun already: the entry lasts as long as that.
#[inline(always)]
pub(crate) fn find_in<'s>(_section: &'s Section<'_>, table: &Table<'_>, address: usize) -> Option<&'s Entry> {
    // SAFETY: published roots keep the invariants of a tree, and last as long as the section.
    let entry = unsafe { at_or_below(table.root(), address) }?;
    if address <= entry.last { Some(entry) } else { None }
}

/// The entry with the greatest key that is not above `key`.
///
/// # Safety
/// `root` is null or a tree that keeps the invariants of `shared::tree` and lasts for `'t`.
#[inline(always)]
pub(crate) unsafe fn at_or_below<'t>(root: *const Node, key: usize) -> Option<&'t Entry> {
    // SAFETY: the caller's promise; the slots of a leaf are entries.
    unsafe { place_at_or_below(root, key).map(|entry| &*entry) }
}

/// The same as the pointer that the tree has: a writer that frees the entry must not do so by a reference's.
///
/// # Safety
/// As for [`at_or_below`].
#[inline(always)]
pub(crate) unsafe fn place_at_or_below(root: *const Node, key: usize) -> Option<*const Entry> {
    // SAFETY: the caller's promise.
    let mut node = unsafe { root.as_ref() }?;
    if key < node.keys[0] {
        return None;
    }
    loop {
        // Which slot it is takes the keys; its line need not wait for theirs.
        arch::prefetch(&raw const node.slots[0]);
        arch::prefetch(&raw const node.slots[FANOUT - 1]);
        // The rank is at least 1: a node's first key is the one that led to it, which is not above `key`.
        // SAFETY: so that 1 <= rank <= count <= FANOUT.
        let slot = unsafe { node.slots.get_unchecked(rank(node, key) - 1) };
        if node.level == 0 {
            // SAFETY: the slots of a leaf are entries.
            return Some(unsafe { slot.entry });
        }
        // SAFETY: the slots of a node above the leaves are nodes.
        node = unsafe { &*slot.child };
    }
}

/// How many keys of `node` are not above `key`.
///
/// Without branches, which an arbitrary address would make the processor mispredict: three comparisons with every
/// fourth key find the group of three, three more the place in it, and none of the three waits for another.
#[inline(always)]
pub(crate) fn rank(node: &Node, key: usize) -> usize {
    const { assert!(FANOUT == 15) };
    let keys = &node.keys;
    let group = 4 * (usize::from(keys[3] <= key) + usize::from(keys[7] <= key) + usize::from(keys[11] <= key));
    // SAFETY: group is at most 12, so the last index is at most 14.
    let [a, b, c] =
        unsafe { [*keys.get_unchecked(group), *keys.get_unchecked(group + 1), *keys.get_unchecked(group + 2)] };
    let rank = group + usize::from(a <= key) + usize::from(b <= key) + usize::from(c <= key);
    // The keys past the last slot count too if `key` is usize::MAX as they are.
    rank.min(node.count as usize)
}

/// The trap code of the site at `offset`, if there is one.
#[inline(always)]
pub(crate) fn site_code(entry: &Entry, offset: u32) -> Option<u32> {
    let mut left = entry.site_count;
    if left == 0 {
        return None;
    }
    let mut site = entry.sites;
    // Invariant: if there is a site at `offset`, it is one of the `left` at `site`.
    while left > 1 {
        let half = left / 2;
        // SAFETY: half < left.
        let middle = unsafe { site.add(half) };
        // SAFETY: `middle` is one of the entry's sites, which last as long as the entry.
        if unsafe { (*middle).offset } <= offset {
            site = middle;
        }
        left -= half;
    }
    // SAFETY: as above.
    let site = unsafe { *site };
    if site.offset == offset { Some(site.code) } else { None }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
