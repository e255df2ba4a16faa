//! Changing a tree by building the next version of it: the path from the root to the change is built anew, all other
//! nodes are shared with the version before.
//!
//! Works from the leaf up. At each level the node on the path is read into a row, where the change is made; a row that
//! has become too short takes in the next node beside it; then the row is written out as one new node, or as two halves
//! if it is too long for one; and at the level above, the slots of the new nodes replace those of the old ones.
//!
//! Costs O(log n), takes at most [`nodes_to_insert`] or [`nodes_to_remove`] nodes from the pool, which must have been
//! reserved, and cannot fail. The old version stays as it is; its nodes that the new one does not share are retired.
//!
//! A tree that nobody reads meanwhile need not be built anew: most edits then change one leaf, and the keys on the way
//! to it.
//!
//! A retired node is written anew later, or freed. So what is retired is the pointer that the tree has, which came from
//! the allocation: a pointer made from a shared reference is good for reading only, in Rust's models of aliasing.

use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::{self, NonNull};

use super::node_pool::NodePool;
use crate::inside::find::rank;
use crate::shared::tree::{Entry, FANOUT, LEAST, Node, Slot, UNUSED};

/// More than any tree has: with 2 slots in the root and 7 in all others, 16 levels have 10^13 entries, and there is no
/// memory for so many.
const MOST_LEVELS: usize = 16;

/// How many levels the tree has, 0 for none.
///
/// # Safety
/// `root` is null or a tree that the caller may read.
pub(crate) unsafe fn height(root: *const Node) -> usize {
    // SAFETY: the caller's promise.
    unsafe { root.as_ref() }.map_or(0, |root| root.level as usize + 1)
}

/// How many nodes an insertion into a tree of this height takes at most: two a level, where all split, and a new root.
pub(crate) fn nodes_to_insert(height: usize) -> usize {
    2 * height + 1
}

/// How many nodes a removal from a tree of this height takes at most: one a level, and one more where a row takes in
/// the node beside it but two are left, which ends the merging. It retires as many as it takes, or more.
pub(crate) fn nodes_to_remove(height: usize) -> usize {
    height + 1
}

/// The next version of the tree, with `entry` under `key`.
///
/// # Safety
/// `root` is null or a tree that keeps the invariants of `shared::tree`, without `key`. The caller has the writers'
/// lock, and `nodes_to_insert` nodes are reserved in `pool`.
pub(crate) unsafe fn insert(
    root: *const Node,
    key: usize,
    entry: NonNull<Entry>,
    pool: &mut NodePool<'_>,
) -> *const Node {
    let new = (key, Slot { entry: entry.as_ptr() });
    if root.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { Row::of(&[new]).write_root(0, pool) };
    }
    // SAFETY: the caller's promise.
    unsafe {
        let path = Path::to(root, key);
        if let Some(root) = path.copy_leaf(|leaf| leaf.put(path.leaf_rank, new), pool) {
            return root;
        }
        let row = path.leaf.read().replacing(path.leaf_rank..path.leaf_rank, &[new]);
        path.rebuild(row, pool)
    }
}

/// The next version of the tree, without `key`.
///
/// # Safety
/// `root` is a tree that keeps the invariants of `shared::tree` and has `key`. The caller has the writers' lock, and
/// `nodes_to_remove` nodes are reserved in `pool`.
pub(crate) unsafe fn remove(root: *const Node, key: usize, pool: &mut NodePool<'_>) -> *const Node {
    // SAFETY: the caller's promise.
    unsafe {
        let path = Path::to(root, key);
        if let Some(root) = path.copy_leaf(|leaf| leaf.take_out(path.leaf_rank, path.least_slots()), pool) {
            return root;
        }
        let row = path.leaf.read().replacing(path.leaf_rank.saturating_sub(1)..path.leaf_rank, &[]);
        path.rebuild(row, pool)
    }
}

/// As [`insert`], of a tree that nobody but the caller reads: where there is room in a leaf, that is changed, and the
/// root stays the same.
///
/// # Safety
/// As `insert`'s; and nobody else reads the tree.
pub(crate) unsafe fn insert_in_place(
    root: *const Node,
    key: usize,
    entry: NonNull<Entry>,
    pool: &mut NodePool<'_>,
) -> *const Node {
    // SAFETY: the caller's promise.
    unsafe {
        if !root.is_null() {
            let path = Path::to(root, key);
            let new = (key, Slot { entry: entry.as_ptr() });
            if path.change_leaf(|leaf| leaf.put(path.leaf_rank, new)) {
                return root;
            }
        }
        insert(root, key, entry, pool)
    }
}

/// As [`remove`], of a tree that nobody but the caller reads: where a leaf has enough slots without it, it is changed,
/// and the root stays the same.
///
/// # Safety
/// As `remove`'s; and nobody else reads the tree.
pub(crate) unsafe fn remove_in_place(root: *const Node, key: usize, pool: &mut NodePool<'_>) -> *const Node {
    // SAFETY: the caller's promise.
    unsafe {
        let path = Path::to(root, key);
        if path.change_leaf(|leaf| leaf.take_out(path.leaf_rank, path.least_slots())) {
            return root;
        }
        remove(root, key, pool)
    }
}

/// Gives each entry of a tree to `entry`, and each of its nodes, after all below it, to `node`.
///
/// # Safety
/// `root` is null or a tree that keeps the invariants of `shared::tree` and that nobody else uses.
pub(crate) unsafe fn take_apart(
    root: *const Node,
    entry: &mut impl FnMut(NonNull<Entry>),
    node: &mut impl FnMut(NonNull<Node>),
) {
    let Some(root) = NonNull::new(root.cast_mut()) else { return };
    // SAFETY: the caller's promise.
    let node_ref = unsafe { root.as_ref() };
    for (_, slot) in node_ref.pairs() {
        if node_ref.level == 0 {
            // SAFETY: the slots of a leaf are entries.
            entry(unsafe { NonNull::new_unchecked(slot.entry.cast_mut()) });
        } else {
            // SAFETY: the slots of other nodes are trees.
            unsafe { take_apart(slot.child, entry, node) };
        }
    }
    node(root);
}

/// A key and what it leads to.
type Pair = (usize, Slot);

impl Node {
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> {
        self.keys.iter().zip(&self.slots).take(self.count as usize).map(|(&key, &slot)| (key, slot))
    }

    /// The slots with `new` in the place of those that are `replaced`.
    #[inline(never)]
    fn replacing(&self, replaced: Range<usize>, new: &[Pair]) -> Row {
        let mut row = Row::of(&[]);
        self.pairs().take(replaced.start).for_each(|pair| row.push(pair));
        new.iter().for_each(|&pair| row.push(pair));
        self.pairs().skip(replaced.end).for_each(|pair| row.push(pair));
        row
    }

    /// Puts a slot in at `at`, if there is room.
    #[inline(never)]
    fn put(&mut self, at: usize, (key, slot): Pair) -> bool {
        let end = self.count as usize + 1;
        let (Some(keys), Some(slots)) = (self.keys.get_mut(at..end), self.slots.get_mut(at..end)) else { return false };
        shift_up(keys, key);
        shift_up(slots, slot);
        self.count += 1;
        true
    }

    /// Takes the slot before `rank` out, if there are `least` besides.
    #[inline(never)]
    fn take_out(&mut self, rank: usize, least: usize) -> bool {
        let count = self.count as usize;
        if count <= least {
            return false;
        }
        let from = rank.saturating_sub(1);
        let (Some(keys), Some(slots)) = (self.keys.get_mut(from..count), self.slots.get_mut(from..count)) else {
            return false;
        };
        shift_down(keys, usize::MAX);
        shift_down(slots, Slot { child: ptr::null() });
        self.count -= 1;
        true
    }

    /// # Safety
    /// The node is above the leaves, part of a tree that lasts for `'t`, and has more than `at` slots.
    unsafe fn child<'t>(&self, at: usize) -> Place<'t> {
        // SAFETY: the caller's promise; the slots of nodes above the leaves are nodes.
        unsafe { Place::of(self.slots.get_unchecked(at).child) }
    }
}

/// Moves all one further, and puts `first` in front; the last is lost.
fn shift_up<T: Copy>(places: &mut [T], first: T) {
    let mut next = first;
    places.iter_mut().for_each(|place| next = core::mem::replace(place, next));
}

/// Moves all one back, and puts `last` at the end; the first is lost.
fn shift_down<T: Copy>(places: &mut [T], last: T) {
    let mut next = last;
    places.iter_mut().rev().for_each(|place| next = core::mem::replace(place, next));
}

/// A node of a tree that lasts for `'t`: to be read, and to be retired.
#[derive(Clone, Copy)]
struct Place<'t> {
    node: NonNull<Node>,
    tree: PhantomData<&'t Node>,
}

impl<'t> Place<'t> {
    /// # Safety
    /// The pointer is not null, has the rights of the allocation, and leads to a node of a tree that lasts for `'t`.
    unsafe fn of(node: *const Node) -> Self {
        // SAFETY: the caller's promise.
        Self { node: unsafe { NonNull::new_unchecked(node.cast_mut()) }, tree: PhantomData }
    }

    fn read(self) -> &'t Node {
        // SAFETY: it lasts for `'t`. Under readers nothing of it is written but `next`, which is atomic.
        unsafe { self.node.as_ref() }
    }
}

/// The way down to a leaf.
struct Path<'t> {
    root: Place<'t>,
    /// From the root down: a node, its child on the way, and in which slot that is.
    steps: [(Place<'t>, Place<'t>, usize); MOST_LEVELS - 1],
    len: usize,
    leaf: Place<'t>,
    /// How many keys of the leaf are not above the key.
    leaf_rank: usize,
}

impl<'t> Path<'t> {
    /// # Safety
    /// `root` is a tree that keeps the invariants of `shared::tree` and lasts for `'t`.
    #[inline(never)]
    unsafe fn to(root: *const Node, key: usize) -> Self {
        // SAFETY: the caller's promise.
        let root: Place<'t> = unsafe { Place::of(root) };
        let (mut steps, mut len) = ([(root, root, 0); MOST_LEVELS - 1], 0);
        let mut node = root;
        for step in &mut steps {
            if node.read().level == 0 {
                break;
            }
            // A key below all others goes to the left.
            let at = rank(node.read(), key).saturating_sub(1);
            // SAFETY: `rank` is at most the number of slots, which is not 0.
            let child = unsafe { node.read().child(at) };
            *step = (node, child, at);
            node = child;
            len += 1;
        }
        debug_assert_eq!(node.read().level, 0);
        Self { root, steps, len, leaf: node, leaf_rank: rank(node.read(), key) }
    }

    /// How many slots the leaf has at least.
    fn least_slots(&self) -> usize {
        if self.len == 0 { 1 } else { LEAST }
    }

    /// The root of the tree in which the leaf is as `change` changes it, which says whether it can: the quick way where
    /// no other leaf is concerned.
    ///
    /// # Safety
    /// As for `insert` or `remove`; the leaf keeps the invariants of `shared::tree`.
    #[inline]
    unsafe fn copy_leaf(&self, change: impl FnOnce(&mut Node) -> bool, pool: &mut NodePool<'_>) -> Option<*const Node> {
        let &Node { level, count, keys, slots, .. } = self.leaf.read();
        let mut leaf = Node::new(level, count, keys, slots);
        if !change(&mut leaf) {
            return None;
        }
        pool.retire(self.leaf.node);
        // SAFETY: the caller's promise.
        let slot = unsafe { write_node(leaf, pool) };
        // SAFETY: the caller's promise; what `write_node` and `copy_with` write is a node.
        Some(unsafe { self.copy_above(self.len, slot, pool) })
    }

    /// The root of the tree in which `slot` is in the place of the node at the end of the first `steps`.
    ///
    /// # Safety
    /// As for `insert` or `remove`; the slot is a node's.
    #[inline]
    unsafe fn copy_above(&self, steps: usize, slot: Pair, pool: &mut NodePool<'_>) -> *const Node {
        let upwards = self.steps.iter().take(steps).rev();
        // SAFETY: the caller's promise; the child is in this slot of the parent, and what `copy_with` writes is a node.
        let (_, root) = upwards.fold(slot, |slot, &(parent, _, at)| unsafe { copy_with(parent, at, slot, pool) });
        // SAFETY: the caller's promise, or what `copy_with` wrote.
        unsafe { root.child }
    }

    /// Has `change` change the leaf, which says whether it did, and has the keys above it go with its first.
    ///
    /// # Safety
    /// Nobody else reads the tree, and the leaf keeps the invariants of `shared::tree`.
    unsafe fn change_leaf(&self, change: impl FnOnce(&mut Node) -> bool) -> bool {
        // SAFETY: a place's pointer has the rights of the allocation, and no other reference is made of it meanwhile.
        let leaf = unsafe { &mut *self.leaf.node.as_ptr() };
        if !change(leaf) {
            return false;
        }
        let [least, ..] = leaf.keys;
        for &(parent, _, at) in self.steps.iter().take(self.len).rev() {
            // SAFETY: as above; another node.
            let keys = unsafe { &mut (*parent.node.as_ptr()).keys };
            match keys.get_mut(at) {
                Some(key) if *key != least => *key = least,
                _ => break,
            }
            if at != 0 {
                break;
            }
        }
        true
    }

    /// The root of the tree in which `row` is in the place of the leaf.
    ///
    /// # Safety
    /// As for `insert` or `remove`, which the row comes from.
    unsafe fn rebuild(&self, mut row: Row, pool: &mut NodePool<'_>) -> *const Node {
        let mut upwards = self.steps.iter().take(self.len).rev();
        while let Some(step @ &(parent, node, at)) = upwards.next() {
            pool.retire(node.node);
            let parent_node = parent.read();
            let mut replaced = at..at + 1;
            if row.len < LEAST {
                // The parent has 2 slots at least, so there is a node on one side or the other.
                let is_last = at + 1 == parent_node.count as usize;
                let beside = if is_last { at.saturating_sub(1) } else { at + 1 };
                // SAFETY: another slot of the parent.
                let sibling = unsafe { parent_node.child(beside) };
                pool.retire(sibling.node);
                let end = if is_last { sibling.read().count as usize } else { 0 };
                row = sibling.read().replacing(end..end, row.pairs());
                replaced = at.min(beside)..at.max(beside) + 1;
            }
            // SAFETY: the caller's promise.
            match unsafe { row.write(node.read().level, pool) } {
                // One node has taken the place of one: nothing else changes above.
                Written::One(slot) if replaced.len() == 1 => {
                    let above = core::iter::once(step).chain(upwards);
                    // SAFETY: the caller's promise; the child is in this slot of the parent.
                    let (_, root) =
                        above.fold(slot, |slot, &(parent, _, at)| unsafe { copy_with(parent, at, slot, pool) });
                    // SAFETY: what `copy_with` writes is a node.
                    return unsafe { root.child };
                }
                Written::One(slot) => row = parent_node.replacing(replaced, &[slot]),
                Written::Two(slots) => row = parent_node.replacing(replaced, &slots),
            }
        }
        pool.retire(self.root.node);
        // SAFETY: the caller's promise.
        unsafe { row.write_root(self.root.read().level, pool) }
    }
}

/// Writes a copy of the node with `slot` at `at`, retires the node, and returns the slot of the copy.
///
/// # Safety
/// The node has more than `at` slots, and a node is reserved in `pool`.
#[inline]
unsafe fn copy_with(place: Place<'_>, at: usize, slot: Pair, pool: &mut NodePool<'_>) -> Pair {
    let node = place.read();
    let (mut keys, mut slots) = (node.keys, node.slots);
    // SAFETY: the caller's promise.
    unsafe { (*keys.get_unchecked_mut(at), *slots.get_unchecked_mut(at)) = slot };
    pool.retire(place.node);
    // SAFETY: the caller's promise.
    unsafe { write_node(Node::new(node.level, node.count, keys, slots), pool) }
}

/// # Safety
/// A node is reserved in `pool`.
#[inline]
unsafe fn write_node(contents: Node, pool: &mut NodePool<'_>) -> Pair {
    let key = contents.keys[0];
    // SAFETY: the caller's promise; a node from the pool is the caller's alone.
    let node = unsafe {
        let node = pool.take();
        node.write(contents);
        node
    };
    (key, Slot { child: node.as_ptr() })
}

/// The slots of a node in the making: up to those of a full node and of one that is too short, or one more than fit.
struct Row {
    len: usize,
    pairs: [Pair; ROW],
}

const ROW: usize = FANOUT + LEAST - 1;

/// What a row was written to.
enum Written {
    One(Pair),
    Two([Pair; 2]),
}

impl Row {
    fn of(pairs: &[Pair]) -> Row {
        let mut row = Row { len: 0, pairs: [(usize::MAX, Slot { child: ptr::null() }); ROW] };
        pairs.iter().for_each(|&pair| row.push(pair));
        row
    }

    fn push(&mut self, pair: Pair) {
        if let Some(place) = self.pairs.get_mut(self.len) {
            *place = pair;
            self.len += 1;
        }
    }

    fn pairs(&self) -> &[Pair] {
        self.pairs.get(..self.len).unwrap_or_default()
    }

    /// Writes the row to one node, or to two if it is too long.
    ///
    /// # Safety
    /// As many nodes are reserved in `pool`.
    unsafe fn write(&self, level: u32, pool: &mut NodePool<'_>) -> Written {
        if self.len <= FANOUT {
            // SAFETY: the caller's promise.
            return Written::One(unsafe { write_node(new_node(level, self.pairs()), pool) });
        }
        let (low, high) = self.pairs().split_at_checked(self.len.div_ceil(2)).unwrap_or_default();
        // SAFETY: the caller's promise.
        Written::Two([low, high].map(|half| unsafe { write_node(new_node(level, half), pool) }))
    }

    /// Writes the row as the root of a tree, whose level is `level` if it has just one node. A tree without entries has
    /// no node, and a root with just one child would be one too many.
    ///
    /// # Safety
    /// As many nodes are reserved in `pool`. Above the leaves, the slots are nodes.
    unsafe fn write_root(&self, level: u32, pool: &mut NodePool<'_>) -> *const Node {
        let [(_, first), ..] = self.pairs;
        match self.len {
            0 => ptr::null(),
            // SAFETY: the caller's promise.
            1 if level > 0 => unsafe { first.child },
            // SAFETY: the caller's promise; what `write` writes are nodes.
            _ => unsafe {
                match self.write(level, pool) {
                    Written::One((_, root)) => root.child,
                    Written::Two(halves) => write_node(new_node(level + 1, &halves), pool).1.child,
                }
            },
        }
    }
}

#[inline(never)]
fn new_node(level: u32, pairs: &[Pair]) -> Node {
    let (mut keys, mut slots) = UNUSED;
    for ((key, slot), pair) in keys.iter_mut().zip(&mut slots).zip(pairs) {
        (*key, *slot) = *pair;
    }
    Node::new(level, pairs.len() as u32, keys, slots)
}

#[cfg(test)]
#[path = "tree_edit_tests.rs"]
mod tests;
