//! Every interleaving of a reader with a writer that replaces and frees, and many random ones of more readers, under a
//! model checker. All accesses of the protocol are sequentially consistent, so interleavings are all that there is.
//! What comes of weaker ones is in `weak_memory_tests`.

use core::sync::atomic::Ordering::{self, SeqCst};
use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize};
use shuttle::sync::mpsc::channel;
use shuttle::thread;

use super::{wait_by, wait_for_phase};
use crate::shared::readers::{Atomic, Counter, Readers, publish, published};

impl Atomic<usize> for AtomicUsize {
    fn load(&self, ordering: Ordering) -> usize {
        self.load(ordering)
    }
    fn store(&self, value: usize, ordering: Ordering) {
        self.store(value, ordering);
    }
}

impl Counter for AtomicUsize {
    fn fetch_add(&self, more: usize, ordering: Ordering) {
        self.fetch_add(more, ordering);
    }
    fn fetch_sub(&self, less: usize, ordering: Ordering) {
        self.fetch_sub(less, ordering);
    }
}

/// One shard is the hardest case: all readers share its counters.
type Model = Readers<AtomicUsize, 1>;
type Wait = fn(&Model, &mut dyn FnMut());

fn wait(readers: &Model, pause: &mut dyn FnMut()) {
    wait_by(readers, pause);
}

/// Leaves out the phase that is not current, in which a straggler may count.
fn wait_for_current_phase_only(readers: &Model, mut pause: &mut dyn FnMut()) {
    let current = readers.phase();
    readers.set_phase(1 - current);
    wait_for_phase(readers, current, &mut pause);
}

/// Leaves out the phase that is current, in which all but stragglers count.
fn wait_for_other_phase_only(readers: &Model, mut pause: &mut dyn FnMut()) {
    let current = readers.phase();
    wait_for_phase(readers, 1 - current, &mut pause);
    readers.set_phase(1 - current);
}

/// A writer publishes versions 1, 2, ... and frees, by a flag, each one that it has replaced. Readers look at what is
/// published, and find that it is not freed.
fn replace_and_free(wait: Wait, versions: usize, readers: usize, sections: usize) {
    let model = Arc::new(Model::of_words(AtomicUsize::new(0), || AtomicUsize::new(0)));
    let publication = Arc::new(AtomicUsize::new(0));
    let freed: Arc<[AtomicBool]> = (0..=versions).map(|_| AtomicBool::new(false)).collect();
    // The writer pauses until a reader has left: an endless loop of looks would be one more interleaving.
    let (left, wait_for_one_to_leave) = channel();

    let readers: Vec<_> = (0..readers)
        .map(|_| {
            let (model, publication, freed, left) = (model.clone(), publication.clone(), freed.clone(), left.clone());
            thread::spawn(move || {
                for _ in 0..sections {
                    let section = model.enter();
                    let version = published(&*publication);
                    assert!(!freed[version].load(SeqCst), "version {version} was freed under a reader");
                    drop(section);
                    left.send(()).expect("the writer listens");
                }
            })
        })
        .collect();
    for version in 1..=versions {
        publish(&*publication, version);
        wait(&model, &mut || wait_for_one_to_leave.recv().expect("a reader is left"));
        freed[version - 1].store(true, SeqCst);
    }
    for reader in readers {
        reader.join().expect("no reader fails");
    }
}

fn explore_all(wait: Wait) {
    shuttle::check_dfs(move || replace_and_free(wait, 3, 1, 1), None);
}

fn explore_many(wait: Wait) {
    shuttle::check_random(move || replace_and_free(wait, 4, 3, 2), 20_000);
    shuttle::check_pct(move || replace_and_free(wait, 4, 3, 2), 20_000, 4);
}

#[test]
fn no_interleaving_frees_what_a_reader_sees() {
    explore_all(wait);
}

#[test]
fn no_random_interleaving_of_several_readers_frees_what_one_of_them_sees() {
    explore_many(wait);
}

/// The model can tell right from wrong.
#[test]
fn the_model_finds_what_is_wrong_with_waiting_for_one_phase() {
    for wrong in [wait_for_current_phase_only as Wait, wait_for_other_phase_only] {
        let failure = std::panic::catch_unwind(move || explore_all(wrong)).expect_err("some interleaving fails");
        let message = failure.downcast::<String>().expect("shuttle says what failed");
        assert!(message.contains("was freed under a reader"), "{message}");
    }
}
