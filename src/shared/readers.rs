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

use core::sync::atomic::{AtomicUsize, Ordering};

/// The readers of everything that the library publishes to its handlers.
pub(crate) static READERS: Readers = Readers::new();

/// A word that threads share, with the only operations on it and their one ordering. A trait, so that the model checker
/// can put a word of its own here.
pub(crate) trait Word {
    fn load(&self) -> usize;
    fn store(&self, value: usize);
    fn increment(&self);
    fn decrement(&self);
}

impl Word for AtomicUsize {
    #[inline]
    fn load(&self) -> usize {
        self.load(Ordering::SeqCst)
    }
    #[inline]
    fn store(&self, value: usize) {
        self.store(value, Ordering::SeqCst);
    }
    #[inline]
    fn increment(&self) {
        self.fetch_add(1, Ordering::SeqCst);
    }
    #[inline]
    fn decrement(&self) {
        self.fetch_sub(1, Ordering::SeqCst);
    }
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

impl<W: Word, const SHARDS: usize> Readers<W, SHARDS> {
    #[cfg(test)]
    pub(crate) fn of_words(mut word: impl FnMut() -> W) -> Self {
        let phase = Padded(word());
        let mut bank = || core::array::from_fn(|_| Padded([word(), word()]));
        Self { phase, bank: AtomicUsize::new(0), shards: core::array::from_fn(|_| bank()) }
    }

    /// Begins a section, which ends when the guard is dropped. Sections nest.
    #[inline]
    pub(crate) fn enter(&self) -> Section<'_, W> {
        let shard = &self.bank()[hash_of_this_stack() % SHARDS].0;
        let counter = &shard[self.phase.0.load() & 1];
        counter.increment();
        Section { counter }
    }

    /// The phase in which new sections begin.
    pub(crate) fn phase(&self) -> usize {
        self.phase.0.load()
    }

    pub(crate) fn set_phase(&self, phase: usize) {
        self.phase.0.store(phase);
    }

    /// The counters of one phase.
    pub(crate) fn counters(&self, phase: usize) -> impl Iterator<Item = &W> {
        self.bank().iter().map(move |shard| &shard.0[phase & 1])
    }

    /// In a forked child: forgets the sections of the threads that the child does not have, by counting elsewhere. The
    /// thread that forked may be in one, in ordinary context, if a signal handler has interrupted that and has forked:
    /// it ends where it began, and is not waited for, since that handler may never return.
    pub(crate) fn reset_after_fork(&self) {
        let next = self.bank.load(Ordering::Relaxed) + 1;
        for shard in &self.shards[next % BANKS] {
            shard.0.iter().for_each(|counter| counter.store(0));
        }
        self.bank.store(next, Ordering::Relaxed);
    }

    /// The counters in use in this process.
    fn bank(&self) -> &[Padded<[W; 2]>; SHARDS] {
        &self.shards[self.bank.load(Ordering::Relaxed) % BANKS]
    }
}

/// A section in progress: nothing that was published when it began, or later, is freed before it ends.
pub(crate) struct Section<'r, W: Word = AtomicUsize> {
    counter: &'r W,
}

impl<W: Word> Drop for Section<'_, W> {
    #[inline]
    fn drop(&mut self) {
        self.counter.decrement();
    }
}

/// Threads are told apart by where their stacks are: no thread-local or thread register is needed, of which a foreign
/// thread may have neither. It may differ from call to call, since the guard remembers the counter.
#[inline]
fn hash_of_this_stack() -> usize {
    let here = 0_u8;
    let neighbourhood = (&raw const here).addr() >> 14;
    // Fibonacci hashing: the top bits of the product depend on all bits of the factor.
    neighbourhood.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (usize::BITS / 2)
}
