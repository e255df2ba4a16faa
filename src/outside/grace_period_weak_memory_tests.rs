//! The protocol of readers and writers under weak memory: a reader and a writer that replaces and frees, in every
//! execution that loom knows of C11's, stale values included.
//!
//! loom treats a sequentially consistent load or store as an acquire or a release, which is weaker, and knows
//! sequential consistency of fences only. So each such access here is an acquire or a release with a fence between it
//! and the next one: by C11 (7.17.3) such fences give what the protocol uses of `SeqCst`, that who has published sees
//! the count, or who has counted sees the publication. A fence orders other accesses, too, which `SeqCst` does not. To
//! see what comes of an access that has lost its ordering, the model is run twice, with the fences before and with the
//! fences after the accesses: in one of the two nothing is left between that access and its neighbour. The phase, which
//! no safety hangs on, has none.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;

use super::wait_by;
use crate::shared::readers::{Atomic, Counter, Readers, publish, published};

/// Where a sequentially consistent access has its fence.
#[derive(Clone, Copy)]
enum Fence {
    Before,
    After,
    /// It only acquires and releases.
    Nowhere,
}

/// A word with the orderings that the protocol asks for.
struct Modelled {
    word: AtomicUsize,
    fence: Fence,
    /// The end of a section orders nothing.
    relaxed_end: bool,
}

impl Modelled {
    fn access<T>(&self, asked: Ordering, acquire_release: Ordering, access: impl FnOnce(Ordering) -> T) -> T {
        if asked != Ordering::SeqCst {
            return access(asked);
        }
        if matches!(self.fence, Fence::Before) {
            fence(Ordering::SeqCst);
        }
        let result = access(acquire_release);
        if matches!(self.fence, Fence::After) {
            fence(Ordering::SeqCst);
        }
        result
    }
}

impl Atomic<usize> for Modelled {
    fn load(&self, ordering: Ordering) -> usize {
        self.access(ordering, Ordering::Acquire, |ordering| self.word.load(ordering))
    }
    fn store(&self, value: usize, ordering: Ordering) {
        self.access(ordering, Ordering::Release, |ordering| self.word.store(value, ordering));
    }
}

impl Counter for Modelled {
    fn fetch_add(&self, more: usize, ordering: Ordering) {
        self.access(ordering, Ordering::AcqRel, |ordering| self.word.fetch_add(more, ordering));
    }
    fn fetch_sub(&self, less: usize, ordering: Ordering) {
        let ordering = if self.relaxed_end { Ordering::Relaxed } else { ordering };
        self.access(ordering, Ordering::AcqRel, |ordering| self.word.fetch_sub(less, ordering));
    }
}

/// A model of the protocol: its fences, and whether the ends of sections order nothing.
#[derive(Clone, Copy)]
struct Rules {
    fence: Fence,
    relaxed_end: bool,
}

const CONSISTENT: [Rules; 2] =
    [Rules { fence: Fence::Before, relaxed_end: false }, Rules { fence: Fence::After, relaxed_end: false }];

impl Rules {
    fn word(self) -> Modelled {
        Modelled { word: AtomicUsize::new(0), fence: self.fence, relaxed_end: self.relaxed_end }
    }

    fn phase() -> Modelled {
        Self { fence: Fence::Nowhere, relaxed_end: false }.word()
    }
}

/// How many versions are published after the first one.
const VERSIONS: usize = 2;

/// What is published and freed. It holds its number as long as it is not.
struct Version(UnsafeCell<usize>);

// SAFETY: loom fails where two threads use it at once, before they do.
unsafe impl Sync for Version {}

/// A writer publishes version after version, and writes to each that it has replaced, as a free would. A reader reads
/// what it finds published. loom fails where the one does not happen before the other.
fn replace_and_free(rules: Rules, readers: usize) {
    let model = Arc::new(Readers::<Modelled, 1>::of_words(Rules::phase(), || rules.word()));
    let publication = Arc::new(rules.word());
    let versions: Arc<[Version; VERSIONS + 1]> =
        Arc::new(core::array::from_fn(|version| Version(UnsafeCell::new(version))));
    let readers: Vec<_> = (0..readers)
        .map(|_| {
            let (model, publication, versions) = (model.clone(), publication.clone(), versions.clone());
            thread::spawn(move || {
                let section = model.enter();
                let version = published(&*publication);
                // SAFETY: loom fails before the read, if it is not safe.
                let contents = versions[version].0.with(|contents| unsafe { contents.read() });
                assert_eq!(contents, version, "version {version} was freed under a reader");
                drop(section);
            })
        })
        .collect();
    for version in 1..=VERSIONS {
        publish(&*publication, version);
        wait_by(&model, thread::yield_now);
        // SAFETY: loom fails before the write, if it is not safe.
        versions[version - 1].0.with_mut(|contents| unsafe { contents.write(usize::MAX) });
    }
    for reader in readers {
        reader.join().expect("no reader fails");
    }
}

/// Every execution with at most so many switches of threads at places where they need not be; `None` for all.
fn explore(rules: Rules, readers: usize, switches: Option<usize>) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = switches;
    builder.check(move || replace_and_free(rules, readers));
}

fn fails(explore: impl FnOnce() + std::panic::UnwindSafe) {
    let failure = std::panic::catch_unwind(explore).expect_err("some execution fails");
    let message = match failure.downcast::<String>() {
        Ok(message) => *message,
        Err(failure) => (*failure.downcast::<&str>().expect("loom says what failed")).to_owned(),
    };
    assert!(message.contains("Causality violation") || message.contains("was freed under a reader"), "{message}");
}

#[test]
fn weak_memory_frees_nothing_that_a_reader_sees() {
    CONSISTENT.into_iter().for_each(|rules| explore(rules, 1, None));
}

#[test]
fn weak_memory_frees_nothing_that_one_of_two_readers_sees() {
    CONSISTENT.into_iter().for_each(|rules| explore(rules, 2, Some(3)));
}

/// The model can tell right from wrong.
#[test]
fn weak_memory_shows_what_is_wrong_with_counters_and_publications_that_acquire_and_release() {
    fails(|| explore(Rules { fence: Fence::Nowhere, relaxed_end: false }, 1, None));
}

#[test]
fn weak_memory_shows_what_is_wrong_with_sections_whose_ends_order_nothing() {
    for rules in CONSISTENT {
        fails(|| explore(Rules { relaxed_end: true, ..rules }, 1, None));
    }
}
