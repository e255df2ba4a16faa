//! Where the nodes of the trees come from and go to.
//!
//! [`NodePool::reserve`] comes before anything is changed; an edit then takes what was reserved and cannot fail
//! half-way. An edit that removes an entry cannot fail at all: it never takes more nodes than it retires, and the pool
//! keeps as many spare ones as the largest removal that may come takes.
//!
//! A retired node may still be read. It becomes spare once a grace period has passed.
//!
//! The pool calls neither malloc nor free, which may be the host's and may wait for a thread that waits for the
//! writers' lock: a [`NodeList`] allocates nodes before the lock is taken, and frees them after it was released.
//!
//! Invariant: spare.len >= promised, except between `take` and the `reclaim` that follows a removal.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use super::allocation::{NoMemory, allocate, release};
use super::grace_period::wait_until_unobserved;
use crate::shared::readers::Readers;
use crate::shared::tree::{Node, UNUSED};

/// How many spare nodes are kept beyond those promised: 24 KiB.
const MOST_SPARE: usize = 96;

/// Insertions do not wait for readers; when they have retired so many nodes, the next one that needs more does.
const MANY_RETIRED: usize = 64;

pub(crate) struct NodePool<'r> {
    readers: &'r Readers,
    spare: NodeList,
    retired: NodeList,
    /// Spare nodes that are too many: to be taken away.
    surplus: NodeList,
    promised: usize,
}

/// So many nodes must be at hand for what was to be reserved. Nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) usize);

// SAFETY: the nodes on the lists are the pool's alone, but for readers, which only read, and not `next`.
unsafe impl Send for NodePool<'_> {}

impl<'r> NodePool<'r> {
    pub(crate) const fn new(readers: &'r Readers) -> Self {
        Self { readers, spare: NodeList::new(), retired: NodeList::new(), surplus: NodeList::new(), promised: 0 }
    }

    /// Makes sure that `now` nodes can be taken, and that thereafter `later` ones are left for removals, with those at
    /// `hand` where it has too few.
    pub(crate) fn reserve(&mut self, now: usize, later: usize, hand: &mut NodeList) -> Result<(), Missing> {
        let wanted = now + later.max(self.promised);
        if self.spare.len < wanted && self.retired.len >= MANY_RETIRED {
            self.reclaim();
        }
        let missing = wanted.saturating_sub(self.spare.len);
        if missing > hand.len {
            return Err(Missing(missing));
        }
        for _ in 0..missing {
            if let Some(node) = hand.pop() {
                self.spare.push(node);
            }
        }
        self.promised = self.promised.max(later);
        Ok(())
    }

    /// A node, to be filled in by the caller.
    ///
    /// # Safety
    /// It was reserved, now or for later, and has not been taken yet.
    pub(crate) unsafe fn take(&mut self) -> NonNull<Node> {
        // SAFETY: as many nodes are spare as are reserved.
        unsafe { self.spare.pop().unwrap_unchecked() }
    }

    /// Gives a node back that is in no tree any more once the caller has published its edit.
    pub(crate) fn retire(&mut self, node: NonNull<Node>) {
        self.retired.push(node);
    }

    /// Waits until no reader sees what was published before the last publication, and makes retired nodes spare.
    pub(crate) fn reclaim(&mut self) {
        wait_until_unobserved(self.readers);
        while let Some(node) = self.retired.pop() {
            self.spare.push(node);
        }
        self.trim(self.promised + MOST_SPARE);
    }

    /// After a `reclaim`, when no tree is left: all are surplus.
    pub(crate) fn release_spare(&mut self) {
        self.promised = 0;
        self.trim(0);
    }

    /// Takes what is surplus away, to be freed.
    pub(crate) fn take_surplus(&mut self) -> NodeList {
        core::mem::replace(&mut self.surplus, NodeList::new())
    }

    /// How many nodes are spare, retired and promised.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.spare.len, self.retired.len, self.promised]
    }

    fn trim(&mut self, most: usize) {
        while self.spare.len > most
            && let Some(node) = self.spare.pop()
        {
            self.surplus.push(node);
        }
    }
}

/// A list threaded through the nodes, so that putting a node on it takes no memory. Its nodes came from `allocate`.
/// Those that are on it in the end are freed: nobody refers to them then.
pub(crate) struct NodeList {
    head: *mut Node,
    len: usize,
}

impl NodeList {
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null_mut(), len: 0 }
    }

    /// Allocates until there are `len`.
    pub(crate) fn grow_to(&mut self, len: usize) -> Result<(), NoMemory> {
        while self.len < len {
            let node = allocate::<Node>()?;
            let (keys, slots) = UNUSED;
            // SAFETY: newly allocated for a node.
            unsafe { node.write(Node::new(0, 0, keys, slots)) };
            self.push(node);
        }
        Ok(())
    }

    /// Takes the nodes of another list over.
    pub(crate) fn append(&mut self, mut other: Self) {
        while let Some(node) = other.pop() {
            self.push(node);
        }
    }

    pub(crate) fn push(&mut self, node: NonNull<Node>) {
        // SAFETY: nodes on a list are allocated, and `next`, being atomic, may be changed under readers.
        unsafe { node.as_ref() }.next.store(self.head, Ordering::Relaxed);
        self.head = node.as_ptr();
        self.len += 1;
    }

    fn pop(&mut self) -> Option<NonNull<Node>> {
        let node = NonNull::new(self.head)?;
        // SAFETY: as for `push`.
        self.head = unsafe { node.as_ref() }.next.load(Ordering::Relaxed);
        self.len -= 1;
        Some(node)
    }
}

impl Drop for NodeList {
    fn drop(&mut self) {
        while let Some(node) = self.pop() {
            // SAFETY: it came from `allocate`, and nobody refers to it.
            unsafe { release(node) };
        }
    }
}
