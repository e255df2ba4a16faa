//! Who is reading the tables: counters that tell a writer when an old version can be freed.
//!
//! A reader enters a section, follows the pointers that it finds, and leaves. A writer publishes a new version, waits
//! until every section that could have seen the old one has ended (`outside::grace_period`), and frees the old one.
//! Readers run in signal handlers, on any thread, at any instruction, within one another too: to enter and to leave is
//! one atomic addition each, with no loop, lock, thread-local or allocation.
//!
//! Invariant: from before its first look at a published pointer until after its last look at what that led to, a
//! reader counts 1 in one counter, which nobody else takes away.
//!
//! # Why what a reader sees is not freed
//!
//! All accesses here and all loads and stores of published pointers are sequentially consistent, so there is one order
//! of them all, and the only question is what comes first in it. Take a publication P, a counter, the writer's load L
//! of it that follows P and yields 0, and a reader that counts in it:
//!
//! - the reader entered before L. The counter is changed by additions only, so 0 means that the reader had left before
//!   L, and L, which reads from its subtraction or from one that came after it, makes all its looks happen before the
//!   freeing;
//! - or it entered after L, thus after P. It looks at the published pointer later still and finds the new version.
//!
//! So one 0 in each counter, seen at any time after P, is enough. They need not be 0 at the same moment.
//!
//! # Why there are two counters
//!
//! For progress: readers that keep coming could hold a single counter above 0 for ever. New readers count in the
//! counter of the current phase. The writer waits for the other one, makes that one current, and waits for the one
//! that was current before (the scheme of Linux's SRCU, which needs sums over its processors; here a section ends in
//! the counter in which it began). In either wait the counter gains only stragglers, readers that had looked at the
//! phase before it last changed: one per thread at the most, so the wait ends.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The readers of everything that the library publishes to its handlers.
pub(crate) static READERS: Readers = Readers::new();

/// What threads share, with atomic loads and stores: the processor's, or those of a model checker, which thus runs by
/// the very orderings that are written here.
pub(crate) trait Atomic<T> {
    fn load(&self, ordering: Ordering) -> T;
    fn store(&self, value: T, ordering: Ordering);
}

/// The same of a number that counts.
pub(crate) trait Counter: Atomic<usize> {
    fn fetch_add(&self, more: usize, ordering: Ordering);
    fn fetch_sub(&self, less: usize, ordering: Ordering);
}

impl Atomic<usize> for AtomicUsize {
    #[inline]
    fn load(&self, ordering: Ordering) -> usize {
        self.load(ordering)
    }
    #[inline]
    fn store(&self, value: usize, ordering: Ordering) {
        self.store(value, ordering);
    }
}

impl Counter for AtomicUsize {
    #[inline]
    fn fetch_add(&self, more: usize, ordering: Ordering) {
        self.fetch_add(more, ordering);
    }
    #[inline]
    fn fetch_sub(&self, less: usize, ordering: Ordering) {
        self.fetch_sub(less, ordering);
    }
}

impl<T> Atomic<*mut T> for AtomicPtr<T> {
    #[inline]
    fn load(&self, ordering: Ordering) -> *mut T {
        self.load(ordering)
    }
    #[inline]
    fn store(&self, value: *mut T, ordering: Ordering) {
        self.store(value, ordering);
    }
}

/// What is published now. It lasts as long as a section that began before.
#[inline]
pub(crate) fn published<T>(place: &impl Atomic<T>) -> T {
    place.load(Ordering::SeqCst)
}

/// Has readers find this from now on.
#[inline]
pub(crate) fn publish<T>(place: &impl Atomic<T>, value: T) {
    place.store(value, Ordering::SeqCst);
}

/// Enough for the processors that are likely to trap at once; few enough for a writer to look at them all in a moment.
const SHARDS_IN_USE: usize = 32;

/// A section that a fork interrupts ends in the counter in which it began, which must not be in use by then. Daemons
/// fork twice in a row.
const BANKS: usize = 4;

/// 128 bytes, because processors fetch cache lines in pairs.
#[repr(align(128))]
struct Padded<T>(T);

/// The counters of all threads, spread over shards so that threads rarely meet in one cache line.
pub(crate) struct Readers<W = AtomicUsize, const SHARDS: usize = SHARDS_IN_USE> {
    /// 0 or 1: the counter in which new sections begin.
    phase: Padded<W>,
    /// How many forks lie between this process and the first: which of the banks is in use.
    bank: AtomicUsize,
    shards: [[Padded<[W; 2]>; SHARDS]; BANKS],
}

impl Readers {
    pub(crate) const fn new() -> Self {
        Self {
            phase: Padded(AtomicUsize::new(0)),
            bank: AtomicUsize::new(0),
            shards: [const { [const { Padded([AtomicUsize::new(0), AtomicUsize::new(0)]) }; SHARDS_IN_USE] }; BANKS],
        }
    }
}

impl<W: Counter, const SHARDS: usize> Readers<W, SHARDS> {
    #[cfg(test)]
    pub(crate) fn of_words(phase: W, mut counter: impl FnMut() -> W) -> Self {
        let mut bank = || core::array::from_fn(|_| Padded([counter(), counter()]));
        Self { phase: Padded(phase), bank: AtomicUsize::new(0), shards: core::array::from_fn(|_| bank()) }
    }

    /// Begins a section, which ends when the guard is dropped. Sections nest.
    #[inline]
    pub(crate) fn enter(&self) -> Section<'_, W> {
        let shard = &self.bank()[hash_of_this_stack() % SHARDS].0;
        let counter = &shard[self.phase() & 1];
        counter.fetch_add(1, Ordering::SeqCst);
        Section { counter }
    }

    /// The phase in which new sections begin.
    pub(crate) fn phase(&self) -> usize {
        self.phase.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set_phase(&self, phase: usize) {
        self.phase.0.store(phase, Ordering::SeqCst);
    }

    /// How many sections are in progress in each counter of one phase, one counter after the other, as often as is
    /// asked.
    pub(crate) fn sections(&self, phase: usize) -> impl Iterator<Item = impl Fn() -> usize> {
        self.bank().iter().map(move |shard| move || shard.0[phase & 1].load(Ordering::SeqCst))
    }

    /// In a forked child: forgets the sections of the threads that the child does not have, by counting elsewhere. The
    /// thread that forked may be in one, in ordinary context, if a signal handler has interrupted that and has forked:
    /// it ends where it began, and is not waited for, since that handler may never return.
    pub(crate) fn reset_after_fork(&self) {
        let next = self.bank.load(Ordering::Relaxed) + 1;
        for shard in &self.shards[next % BANKS] {
            shard.0.iter().for_each(|counter| counter.store(0, Ordering::SeqCst));
        }
        self.bank.store(next, Ordering::Relaxed);
    }

    /// The counters in use in this process.
    fn bank(&self) -> &[Padded<[W; 2]>; SHARDS] {
        &self.shards[self.bank.load(Ordering::Relaxed) % BANKS]
    }
}

/// A section in progress: nothing that was published when it began, or later, is freed before it ends.
pub(crate) struct Section<'r, W: Counter = AtomicUsize> {
    counter: &'r W,
}

impl<W: Counter> Drop for Section<'_, W> {
    #[inline]
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Threads are told apart by where their stacks are: no thread-local or thread register is needed, of which a foreign
/// thread may have neither. It may differ from call to call, since the guard remembers the counter.
#[inline]
fn hash_of_this_stack() -> usize {
    let here = 0_u8;
    hash_of_stack((&raw const here).addr())
}

/// The same by an address on the stack.
fn hash_of_stack(address: usize) -> usize {
    let neighbourhood = address >> 14;
    // Fibonacci hashing: the top bits of the product depend on all bits of the factor.
    neighbourhood.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (usize::BITS / 2)
}

#[cfg(test)]
#[path = "readers_tests.rs"]
mod tests;
