//! The protocol of readers and writers under weak memory: a reader and a writer that replaces and frees, in every
//! execution that loom knows of C11's, stale values included.
//!
//! loom treats a sequentially consistent load or store as an acquire or a release, which is weaker, and knows
//! sequential consistency of fences only. So each access here is an acquire or a release with a fence before it and one
//! after: by C11 (7.17.3) such fences give what the protocol uses of `SeqCst`, that who has published sees the count,
//! or who has counted sees the publication. They give more besides: they order other accesses too. So this does not
//! tell whether counters or publications alone could do with less. That the ordering of the accesses is enough without
//! fences is what `shared::readers` argues; that acquire and release are not enough is shown below.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;

use super::wait_by;
use crate::shared::readers::{Readers, Word};

/// Sequentially consistent.
struct Consistent(AtomicUsize);

impl Word for Consistent {
    fn load(&self) -> usize {
        fence(Ordering::SeqCst);
        let value = self.0.load(Ordering::Acquire);
        fence(Ordering::SeqCst);
        value
    }
    fn store(&self, value: usize) {
        fence(Ordering::SeqCst);
        self.0.store(value, Ordering::Release);
        fence(Ordering::SeqCst);
    }
    fn increment(&self) {
        fence(Ordering::SeqCst);
        self.0.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }
    fn decrement(&self) {
        fence(Ordering::SeqCst);
        self.0.fetch_sub(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }
}

/// Acquire and release: no order between a store and a load that follows it.
struct AcquireRelease(AtomicUsize);

impl Word for AcquireRelease {
    fn load(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
    fn store(&self, value: usize) {
        self.0.store(value, Ordering::Release);
    }
    fn increment(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
    fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Consistent, but for the end of a section, which orders nothing.
struct RelaxedEnd(Consistent);

impl Word for RelaxedEnd {
    fn load(&self) -> usize {
        self.0.load()
    }
    fn store(&self, value: usize) {
        self.0.store(value);
    }
    fn increment(&self) {
        self.0.increment();
    }
    fn decrement(&self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn consistent() -> Consistent {
    Consistent(AtomicUsize::new(0))
}

fn acquire_release() -> AcquireRelease {
    AcquireRelease(AtomicUsize::new(0))
}

fn relaxed_end() -> RelaxedEnd {
    RelaxedEnd(consistent())
}

/// How many versions are published after the first one.
const VERSIONS: usize = 2;

/// What is published and freed. It holds its number as long as it is not.
struct Version(UnsafeCell<usize>);

// SAFETY: loom fails where two threads use it at once, before they do.
unsafe impl Sync for Version {}

/// A writer publishes version after version, and writes to each that it has replaced, as a free would. A reader reads
/// what it finds published. loom fails where the one does not happen before the other.
fn replace_and_free<C, P>(counter: fn() -> C, publication: fn() -> P, readers: usize)
where
    C: Word + Send + Sync + 'static,
    P: Word + Send + Sync + 'static,
{
    let model = Arc::new(Readers::<C, 1>::of_words(counter));
    let published = Arc::new(publication());
    let versions: Arc<[Version; VERSIONS + 1]> =
        Arc::new(core::array::from_fn(|version| Version(UnsafeCell::new(version))));
    let readers: Vec<_> = (0..readers)
        .map(|_| {
            let (model, published, versions) = (model.clone(), published.clone(), versions.clone());
            thread::spawn(move || {
                let section = model.enter();
                let version = published.load();
                // SAFETY: loom fails before the read, if it is not safe.
                let contents = versions[version].0.with(|contents| unsafe { contents.read() });
                assert_eq!(contents, version, "version {version} was freed under a reader");
                drop(section);
            })
        })
        .collect();
    for version in 1..=VERSIONS {
        published.store(version);
        wait_by(&model, thread::yield_now);
        // SAFETY: loom fails before the write, if it is not safe.
        versions[version - 1].0.with_mut(|contents| unsafe { contents.write(usize::MAX) });
    }
    for reader in readers {
        reader.join().expect("no reader fails");
    }
}

/// Every execution with at most so many switches of threads at places where they need not be; `None` for all.
fn explore<C, P>(counter: fn() -> C, publication: fn() -> P, readers: usize, switches: Option<usize>)
where
    C: Word + Send + Sync + 'static,
    P: Word + Send + Sync + 'static,
{
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = switches;
    builder.check(move || replace_and_free(counter, publication, readers));
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
    explore(consistent, consistent, 1, None);
}

#[test]
fn weak_memory_frees_nothing_that_one_of_two_readers_sees() {
    explore(consistent, consistent, 2, Some(3));
}

/// The model can tell right from wrong.
#[test]
fn weak_memory_shows_what_is_wrong_with_counters_and_publications_that_acquire_and_release() {
    fails(|| explore(acquire_release, acquire_release, 1, None));
}

#[test]
fn weak_memory_shows_what_is_wrong_with_sections_whose_ends_order_nothing() {
    fails(|| explore(relaxed_end, consistent, 1, None));
}
