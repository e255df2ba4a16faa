//! Changing a tree by building the next version of it: the path from the root to the change is built anew, all other
//! nodes are shared with the version before.
//!
//! Works from the leaf up. At each level the node on the path is read into a row, where the change is made; a row that
//! has become too short takes in the next node beside it; then the row is written out as one new node, or as two halves
//! if it is too long for one; and at the level above, the slots of the new nodes replace those of the old ones.
//!
//! Costs O(log n), takes at most [`nodes_to_insert`] or [`nodes_to_remove`] nodes from the pool, which must have been
//! reserved, and cannot fail. The old version stays as it is; its nodes that the new one does not share are retired.

use core::ops::Range;
use core::ptr::{self, NonNull};

use super::node_pool::NodePool;
use crate::inside::find::rank;
use crate::shared::tree::{Entry, FANOUT, LEAST, Node, Slot, UNUSED};

/// More than any tree has: with 2 slots in the root and 7 in all others, 21 levels have 10^17 entries.
const MOST_LEVELS: usize = 21;

/// How many levels the tree has, 0 for none.
///
/// # Safety
/// `root` is null or a tree that the caller may read.
pub(crate) unsafe fn height(root: *const Node) -> usize {
    // SAFETY: the caller's promise.
    unsafe { root.as_ref() }.map_or(0, |root| root.level as usize + 1)
}

/// How many nodes an insertion into a tree of this height takes at most: two a level and a new root.
pub(crate) fn nodes_to_insert(height: usize) -> usize {
    2 * height + 1
}

/// How many nodes a removal from a tree of this height takes at most. It retires as many as it takes, or more.
pub(crate) fn nodes_to_remove(height: usize) -> usize {
    2 * height
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
    let slot = Slot { entry: entry.as_ptr() };
    if root.is_null() {
        let mut row = Row::EMPTY;
        row.replace(0..0, &[(key, slot)]);
        return row.write_root(0, pool);
    }
    // SAFETY: the caller's promise.
    let path = unsafe { Path::to(root, key) };
    let mut row = Row::of(path.leaf());
    row.replace(path.leaf_rank..path.leaf_rank, &[(key, slot)]);
    path.rebuild(row, pool)
}

/// The next version of the tree, without `key`.
///
/// # Safety
/// `root` is a tree that keeps the invariants of `shared::tree` and has `key`. The caller has the writers' lock, and
/// `nodes_to_remove` nodes are reserved in `pool`.
pub(crate) unsafe fn remove(root: *const Node, key: usize, pool: &mut NodePool<'_>) -> *const Node {
    // SAFETY: the caller's promise.
    let path = unsafe { Path::to(root, key) };
    let mut row = Row::of(path.leaf());
    row.replace(path.leaf_rank - 1..path.leaf_rank, &[]);
    path.rebuild(row, pool)
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
    let (level, slots) = unsafe { (root.as_ref().level, root.as_ref().slots()) };
    for slot in slots {
        if level == 0 {
            // SAFETY: the slots of a leaf are entries.
            entry(unsafe { NonNull::new_unchecked(slot.entry.cast_mut()) });
        } else {
            // SAFETY: the slots of other nodes are trees.
            unsafe { take_apart(slot.child, entry, node) };
        }
    }
    node(root);
}

impl Node {
    pub(super) fn keys(&self) -> &[usize] {
        &self.keys[..self.count as usize]
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots[..self.count as usize]
    }
}

/// The way down to a leaf.
struct Path<'t> {
    /// The nodes, from the root to the leaf, and in which slot of the one before each of them is.
    steps: [(&'t Node, usize); MOST_LEVELS],
    len: usize,
    /// How many keys of the leaf are not above the key.
    leaf_rank: usize,
}

impl<'t> Path<'t> {
    /// # Safety
    /// `root` is a tree that keeps the invariants of `shared::tree` and lasts for `'t`.
    unsafe fn to(root: *const Node, key: usize) -> Self {
        // SAFETY: the caller's promise.
        let mut node = unsafe { &*root };
        let mut path = Self { steps: [(node, 0); MOST_LEVELS], len: 1, leaf_rank: 0 };
        while node.level > 0 {
            // A key below all others goes to the left.
            let at = rank(node, key).saturating_sub(1);
            // SAFETY: the slots of nodes above the leaves are nodes.
            node = unsafe { &*node.slots()[at].child };
            path.steps[path.len] = (node, at);
            path.len += 1;
        }
        path.leaf_rank = rank(node, key);
        path
    }

    fn leaf(&self) -> &'t Node {
        self.steps[self.len - 1].0
    }

    /// The root of the tree in which `row` is in the place of the leaf.
    fn rebuild(&self, mut row: Row, pool: &mut NodePool<'_>) -> *const Node {
        for depth in (1..self.len).rev() {
            let (node, at) = self.steps[depth];
            let parent = self.steps[depth - 1].0;
            let mut replaced = at..at + 1;
            if row.len < LEAST {
                // The parent has 2 slots at least, so there is a node on one side or the other.
                let beside = if at + 1 < parent.slots().len() { at + 1 } else { at - 1 };
                // SAFETY: the slots of the parent of a node are nodes.
                let sibling = unsafe { &*parent.slots()[beside].child };
                row.take_in(if beside > at { row.len } else { 0 }, sibling);
                replaced = at.min(beside)..at.max(beside) + 1;
                pool.retire(NonNull::from(sibling));
            }
            pool.retire(NonNull::from(node));
            let (written, count) = row.write(node.level, pool);
            if replaced.len() == 1 && count == 1 {
                return self.copy_above(depth, written[0], pool);
            }
            row = Row::of(parent);
            row.replace(replaced, &written[..count]);
        }
        let root = self.steps[0].0;
        pool.retire(NonNull::from(root));
        row.write_root(root.level, pool)
    }

    /// The root of the tree in which `slot` is in the place of the node at `depth`. One node has taken the place of
    /// one, so that nothing else changes above.
    fn copy_above(&self, depth: usize, mut slot: (usize, Slot), pool: &mut NodePool<'_>) -> *const Node {
        for depth in (0..depth).rev() {
            let (node, at) = (self.steps[depth].0, self.steps[depth + 1].1);
            let (mut keys, mut slots) = (node.keys, node.slots);
            (keys[at], slots[at]) = slot;
            pool.retire(NonNull::from(node));
            slot = (keys[0], write_node(node.level, node.count, keys, slots, pool));
        }
        // SAFETY: what `write_node` writes is a node.
        unsafe { slot.1.child }
    }
}

fn write_node(level: u32, count: u32, keys: [usize; FANOUT], slots: [Slot; FANOUT], pool: &mut NodePool<'_>) -> Slot {
    let node = pool.take();
    // SAFETY: a node from the pool is the caller's alone.
    unsafe { node.write(Node::new(level, count, keys, slots)) };
    Slot { child: node.as_ptr() }
}

/// The slots of a node in the making: up to those of a full node and of one that is too short, or one more than fit.
struct Row {
    len: usize,
    keys: [usize; ROW],
    slots: [Slot; ROW],
}

const ROW: usize = FANOUT + LEAST - 1;

impl Row {
    const EMPTY: Row = Row { len: 0, keys: [usize::MAX; ROW], slots: [Slot { child: ptr::null() }; ROW] };

    fn of(node: &Node) -> Row {
        let mut row = Row::EMPTY;
        row.take_in(0, node);
        row
    }

    /// Puts the slots of `node` at `at`, before those that are there.
    fn take_in(&mut self, at: usize, node: &Node) {
        let taken = at..at + node.slots().len();
        self.make_room(at..at, node.slots().len());
        self.keys[taken.clone()].copy_from_slice(node.keys());
        self.slots[taken].copy_from_slice(node.slots());
    }

    /// Puts `pairs` in the place of the slots `replaced`.
    fn replace(&mut self, replaced: Range<usize>, pairs: &[(usize, Slot)]) {
        let start = replaced.start;
        self.make_room(replaced, pairs.len());
        for (at, &(key, slot)) in (start..).zip(pairs) {
            self.keys[at] = key;
            self.slots[at] = slot;
        }
    }

    /// Moves what follows `replaced`, so that `len` slots fit there.
    fn make_room(&mut self, replaced: Range<usize>, len: usize) {
        let to = replaced.start + len;
        self.keys.copy_within(replaced.end..self.len, to);
        self.slots.copy_within(replaced.end..self.len, to);
        self.len = to + self.len - replaced.end;
    }

    /// Writes the row to one node, or to two if it is too long, and returns those and how many they are.
    fn write(&self, level: u32, pool: &mut NodePool<'_>) -> ([(usize, Slot); 2], usize) {
        let whole = self.len <= FANOUT;
        let middle = if whole { self.len } else { self.len.div_ceil(2) };
        let first = self.write_part(0..middle, level, pool);
        if whole { ([first, first], 1) } else { ([first, self.write_part(middle..self.len, level, pool)], 2) }
    }

    fn write_part(&self, part: Range<usize>, level: u32, pool: &mut NodePool<'_>) -> (usize, Slot) {
        let (mut keys, mut slots) = UNUSED;
        keys[..part.len()].copy_from_slice(&self.keys[part.clone()]);
        slots[..part.len()].copy_from_slice(&self.slots[part.clone()]);
        (keys[0], write_node(level, part.len() as u32, keys, slots, pool))
    }

    /// Writes the row as the root of a tree, whose level is `level` if it has just one node. A tree without entries has
    /// no node, and a root with just one child would be one too many.
    fn write_root(&self, level: u32, pool: &mut NodePool<'_>) -> *const Node {
        if self.len == 0 {
            return ptr::null();
        }
        if level > 0 && self.len == 1 {
            // SAFETY: the slots of a row above the leaves are nodes.
            return unsafe { self.slots[0].child };
        }
        let (written, count) = self.write(level, pool);
        if count > 1 {
            let mut root = Row::EMPTY;
            root.replace(0..0, &written);
            return root.write_root(level + 1, pool);
        }
        // SAFETY: what `write` writes are nodes.
        unsafe { written[0].1.child }
    }
}
