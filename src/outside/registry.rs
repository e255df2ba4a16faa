//! Registering and unregistering ranges: what code ranges and regions have in common.
//!
//! A registry has two trees of the same entries: by start, which is published and which handlers read, and by id, which
//! only writers look at. Both registries share one lock, one run of ids and one pool of nodes.
//!
//! Invariants, whenever the lock is free:
//! - the two trees of a registry have the same entries, which do not overlap;
//! - an id has been given out at most once, so an id that was taken back is never known again;
//! - an entry that has been removed is seen by no reader, and its memory is freed, or about to be.
//!
//! An insertion that fails has changed nothing: it allocates all that it needs first. A removal allocates nothing.
//!
//! malloc may be the host's: it may have a lock that another thread holds when it calls us, or call us itself. So
//! nothing is allocated or freed with the lock held: [`Supply`] is allocated before, [`Garbage`] is freed after.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::allocation::{self, NoMemory};
use super::lock::Locked;
use super::node_pool::{Missing, NodeList, NodePool};
use super::tree_edit::{self, height, nodes_to_insert, nodes_to_remove};
use crate::inside::find::{at_or_below, place_at_or_below};
use crate::shared::abi::wasmtrap_client_t;
use crate::shared::readers::{READERS, Readers};
use crate::shared::tree::{self, Entry, Node, Site, Table};

/// The registered ranges of code.
pub(crate) static CODE: Registry<'static> = Registry::new(Kind::Code, &tree::CODE, &WRITERS);

/// The registered regions of data addresses.
pub(crate) static REGIONS: Registry<'static> = Registry::new(Kind::Region, &tree::REGIONS, &WRITERS);

static WRITERS: Locked<Writers<'static>> = Locked::new(Writers::new(&READERS));

/// What is registered, but for its id.
#[derive(Clone, Copy)]
pub(crate) struct NewEntry<'s> {
    pub(crate) start: usize,
    /// Last address, not below `start`.
    pub(crate) last: usize,
    pub(crate) user: usize,
    pub(crate) flags: u32,
    pub(crate) code: u32,
    /// Of a region: how much of it is accessible, and what a fault there means.
    pub(crate) accessible: usize,
    pub(crate) accessible_code: u32,
    pub(crate) client: wasmtrap_client_t,
    pub(crate) kinds: u32,
    /// By strictly ascending offset. Copied.
    pub(crate) sites: Option<&'s [Site]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegistryError {
    /// This entry, or one more, is in the way.
    Overlap {
        start: usize,
        last: usize,
        id: u64,
    },
    UnknownId,
    NoMemory,
}

impl From<NoMemory> for RegistryError {
    fn from(_: NoMemory) -> Self {
        Self::NoMemory
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Code,
    Region,
}

/// What the holder of the lock keeps: for both registries, and for each of them, by [`Kind`].
pub(crate) struct Writers<'r> {
    next_id: u64,
    pool: NodePool<'r>,
    ledgers: [Ledger; 2],
}

/// A registry's entries by their ids.
struct Ledger {
    by_id: *const Node,
    len: usize,
}

// SAFETY: the tree of a ledger is reached through it only, thus by the holder of the lock.
unsafe impl Send for Ledger {}

impl<'r> Writers<'r> {
    pub(crate) const fn new(readers: &'r Readers) -> Self {
        Self { next_id: 1, pool: NodePool::new(readers), ledgers: [const { Ledger { by_id: ptr::null(), len: 0 } }; 2] }
    }
}

/// Code ranges, or regions. Everything here may wait for the lock and for readers: not for handlers, but for `find`.
pub(crate) struct Registry<'t> {
    kind: Kind,
    table: &'t Table<'t>,
    writers: &'t Locked<Writers<'t>>,
}

impl<'t> Registry<'t> {
    /// The table's readers and those of the writers' pool must be the same, and no other registry of these writers may
    /// be of this kind.
    pub(crate) const fn new(kind: Kind, table: &'t Table<'t>, writers: &'t Locked<Writers<'t>>) -> Self {
        Self { kind, table, writers }
    }

    /// Registers a range and returns its id.
    pub(crate) fn insert(&self, new: NewEntry<'_>) -> Result<u64, RegistryError> {
        // Dropped after the lock was released.
        let mut supply = Supply { entry: Some(new_entry(&new)?), nodes: NodeList::new() };
        loop {
            match self.insert_with(&new, &mut supply)? {
                Ok(id) => return Ok(id),
                // By the time that these are there, others may have changed how many it takes.
                Err(Missing(nodes)) => supply.nodes.grow_to(nodes)?,
            }
        }
    }

    /// The same with what has been allocated. How many nodes it takes can be seen with the lock only.
    fn insert_with(&self, new: &NewEntry<'_>, supply: &mut Supply) -> Result<Result<u64, Missing>, RegistryError> {
        let mut writers = self.writers.lock();
        let Writers { next_id, pool, ledgers } = &mut *writers;
        let ledger = &mut ledgers[self.kind as usize];
        let root = self.table.root();

        // Ranges in the table do not overlap, so of those that begin at or below the end of the new one, the last is
        // the one that reaches highest.
        // SAFETY: with the lock held, published trees stay as they are.
        if let Some(found) = unsafe { at_or_below(root, new.last) }
            && found.last >= new.start
        {
            return Err(RegistryError::Overlap { start: found.start, last: found.last, id: found.id });
        }

        // All that can fail comes before all that changes something.
        // SAFETY: as above; the tree by id is this ledger's alone.
        let heights = unsafe { [height(root), height(ledger.by_id)] };
        // The tree may be one level higher by the time that something is removed.
        let now = heights.map(nodes_to_insert).iter().sum();
        let later = heights.map(|height| nodes_to_remove(height + 1)).iter().sum();
        let reserved = pool.reserve(now, later, &mut supply.nodes);
        supply.nodes.append(pool.take_surplus());
        if let Err(missing) = reserved {
            return Ok(Err(missing));
        }
        let Some(mut entry) = supply.entry.take() else { return Err(RegistryError::NoMemory) };
        // SAFETY: newly made, and nobody else's yet.
        unsafe { entry.as_mut() }.id = *next_id;

        // SAFETY: neither key is in its tree yet, the lock is held and the nodes are reserved.
        let (root, by_id) = unsafe {
            (
                tree_edit::insert(root, new.start, entry, pool),
                tree_edit::insert_in_place(ledger.by_id, *next_id as usize, entry, pool),
            )
        };
        // SAFETY: `insert` keeps the invariants; entries are freed by `remove` and `clear`, which wait before.
        unsafe { self.table.publish(root) };
        ledger.by_id = by_id;
        ledger.len += 1;
        *next_id += 1;
        Ok(Ok(*next_id - 1))
    }

    /// Unregisters a range. When this returns, no reader sees it any more.
    pub(crate) fn remove(&self, id: u64) -> Result<(), RegistryError> {
        self.remove_into(id, &mut Garbage::new())
    }

    fn remove_into(&self, id: u64, garbage: &mut Garbage) -> Result<(), RegistryError> {
        let mut writers = self.writers.lock();
        // SAFETY: the tree by id changes with the lock held only.
        let entry = unsafe { place_at_or_below(writers.ledgers[self.kind as usize].by_id, id as usize) };
        // SAFETY: entries of a tree are allocated.
        let entry = entry.filter(|&entry| unsafe { (*entry).id } == id).ok_or(RegistryError::UnknownId)?;
        self.take_out(&mut writers, entry, garbage);
        Ok(())
    }

    /// The same with the range that begins at `start`.
    pub(crate) fn remove_at(&self, start: usize) -> Result<(), RegistryError> {
        let mut garbage = Garbage::new();
        let mut writers = self.writers.lock();
        // SAFETY: with the lock held, published trees stay as they are.
        let entry = unsafe { place_at_or_below(self.table.root(), start) };
        // SAFETY: entries of a tree are allocated.
        let entry = entry.filter(|&entry| unsafe { (*entry).start } == start).ok_or(RegistryError::UnknownId)?;
        self.take_out(&mut writers, entry, &mut garbage);
        Ok(())
    }

    /// Takes an entry out of the trees. It is garbage once no reader sees it any more.
    fn take_out(&self, writers: &mut Writers<'t>, entry: *const Entry, garbage: &mut Garbage) {
        let Writers { pool, ledgers, .. } = writers;
        let ledger = &mut ledgers[self.kind as usize];
        // SAFETY: both trees have the entry, the lock is held, and the insertion reserved the nodes.
        let (root, by_id) = unsafe {
            (
                tree_edit::remove(self.table.root(), (*entry).start, pool),
                tree_edit::remove_in_place(ledger.by_id, (*entry).id as usize, pool),
            )
        };
        // SAFETY: `remove` keeps the invariants; what is taken out here is freed after the wait below.
        unsafe { self.table.publish(root) };
        ledger.by_id = by_id;
        ledger.len -= 1;
        pool.reclaim();
        garbage.nodes.append(pool.take_surplus());
        if let Some(entry) = NonNull::new(entry.cast_mut()) {
            // SAFETY: the entry is in no tree, and `reclaim` has waited for the readers that may have seen it.
            unsafe { garbage.add(entry) };
        }
    }

    /// Unregisters what is this client's.
    pub(crate) fn clear_client(&self, client: wasmtrap_client_t, garbage: &mut Garbage) {
        let mut above = usize::MAX;
        while let Some((id, of)) = self.id_and_client_below(above) {
            if of == client {
                // Another thread may have been quicker.
                let _ = self.remove_into(id, garbage);
            }
            above = id as usize;
        }
    }

    /// The range with the greatest id below `above`.
    fn id_and_client_below(&self, above: usize) -> Option<(u64, wasmtrap_client_t)> {
        let writers = self.writers.lock();
        // SAFETY: the tree by id changes with the lock held only; ids begin with 1.
        let entry = unsafe { at_or_below(writers.ledgers[self.kind as usize].by_id, above.saturating_sub(1)) };
        entry.map(|entry| (entry.id, entry.client))
    }

    /// Unregisters all.
    pub(crate) fn clear(&self, garbage: &mut Garbage) {
        let mut writers = self.writers.lock();
        let Writers { pool, ledgers, .. } = &mut *writers;
        let ledger = &mut ledgers[self.kind as usize];
        let root = self.table.root();
        let by_id = core::mem::take(&mut ledger.by_id);
        ledger.len = 0;
        // SAFETY: the empty tree is one; what was in the old one is freed after the wait below.
        unsafe { self.table.publish(ptr::null()) };
        pool.reclaim();
        // SAFETY: both trees are unreachable, and `reclaim` has waited for those who had reached them. Their nodes came
        // from `allocate`, and the second has the same entries as the first.
        unsafe {
            let mut nodes = NodeList::new();
            tree_edit::take_apart(by_id, &mut |_| (), &mut |node| nodes.push(node));
            tree_edit::take_apart(root, &mut |entry| garbage.add(entry), &mut |node| nodes.push(node));
            garbage.nodes.append(nodes);
        }
        if ledgers.iter().all(|ledger| ledger.len == 0) {
            pool.release_spare();
        }
        garbage.nodes.append(pool.take_surplus());
    }

    /// How many ranges are registered.
    pub(crate) fn len(&self) -> usize {
        self.writers.lock().ledgers[self.kind as usize].len
    }

    /// Lets `look` see the range that `address` is in. Takes no lock.
    #[cfg(test)]
    pub(crate) fn find<R>(&self, address: usize, look: impl FnOnce(&Entry) -> R) -> Option<R> {
        crate::inside::find::find(self.table, address, look)
    }
}

/// What an insertion takes. The rest is freed when this is dropped, which must be without a lock of the library.
struct Supply {
    entry: Option<NonNull<Entry>>,
    nodes: NodeList,
}

impl Drop for Supply {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            // SAFETY: made by `new_entry`, and not inserted.
            unsafe { free_entry(entry) };
        }
    }
}

/// What was taken out and is seen by nobody any more. Freed when this is dropped, which must be without a lock of the
/// library.
pub(crate) struct Garbage {
    /// A list by their `next`.
    entries: *mut Entry,
    nodes: NodeList,
}

impl Garbage {
    pub(crate) const fn new() -> Self {
        Self { entries: ptr::null_mut(), nodes: NodeList::new() }
    }

    /// # Safety
    /// As for [`free_entry`].
    unsafe fn add(&mut self, entry: NonNull<Entry>) {
        // SAFETY: the entry is allocated.
        unsafe { entry.as_ref() }.next.store(self.entries, Ordering::Relaxed);
        self.entries = entry.as_ptr();
    }
}

impl Drop for Garbage {
    fn drop(&mut self) {
        while let Some(entry) = NonNull::new(self.entries) {
            // SAFETY: the entries on the list are allocated.
            self.entries = unsafe { entry.as_ref() }.next.load(Ordering::Relaxed);
            // SAFETY: `add`'s caller has promised it.
            unsafe { free_entry(entry) };
        }
    }
}

/// A copy of `new` and of its sites, without an id.
fn new_entry(new: &NewEntry<'_>) -> Result<NonNull<Entry>, NoMemory> {
    let &NewEntry { start, last, user, flags, code, accessible, accessible_code, client, kinds, sites } = new;
    let entry = allocation::allocate::<Entry>()?;
    let (sites, site_count) = match sites.map(|sites| (allocation::copy_slice(sites), sites.len())) {
        None => (ptr::null(), 0),
        Some((Ok(copy), len)) => (copy.as_ptr().cast_const(), len),
        Some((Err(error), _)) => {
            // SAFETY: allocated above.
            unsafe { allocation::release(entry) };
            return Err(error);
        }
    };
    let whole = Entry {
        start,
        last,
        id: 0,
        user,
        flags,
        code,
        accessible_code,
        accessible: AtomicUsize::new(accessible),
        client,
        kinds,
        sites,
        site_count,
        next: AtomicPtr::new(ptr::null_mut()),
    };
    // SAFETY: newly allocated for an entry.
    unsafe { entry.write(whole) };
    Ok(entry)
}

/// # Safety
/// `entry` came from [`new_entry`], and nobody uses it any more.
unsafe fn free_entry(entry: NonNull<Entry>) {
    // SAFETY: the caller's promise.
    let Entry { sites, site_count, .. } = unsafe { entry.read() };
    if let Some(sites) = NonNull::new(sites.cast_mut()) {
        // SAFETY: the copy that `new_entry` made, with its length.
        unsafe { allocation::release_slice(sites, site_count) };
    }
    // SAFETY: allocated by `new_entry`.
    unsafe { allocation::release(entry) };
}

/// Waits until no reader can still see what was published before: for a pointer that handlers read in a section of
/// [`READERS`], once its successor has been stored, sequentially consistently. Nodes that are surplus thereafter stay
/// until the next change: the caller may hold a lock.
pub(crate) fn wait_for_readers() {
    WRITERS.lock().pool.reclaim();
}

/// For pthread_atfork's first handler: the child gets tables that nobody is at work on.
pub(crate) fn lock_for_fork() {
    WRITERS.acquire();
}

/// # Safety
/// This thread has called [`lock_for_fork`], and nothing of this module since.
pub(crate) unsafe fn unlock_after_fork_in_parent() {
    // SAFETY: the caller's promise.
    unsafe { WRITERS.release() };
}

/// # Safety
/// As for [`unlock_after_fork_in_parent`], in the child.
pub(crate) unsafe fn unlock_after_fork_in_child() {
    READERS.reset_after_fork();
    // SAFETY: the caller's promise.
    unsafe { WRITERS.release() };
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
