//! Readers and forks of forks.

use core::sync::atomic::{AtomicBool, Ordering};

use super::{BANKS, Readers, SHARDS_IN_USE, hash_of_stack};

fn in_phase(readers: &Readers, phase: usize) -> usize {
    readers.sections(phase).map(|sections| sections()).sum()
}

fn in_progress(readers: &Readers) -> usize {
    in_phase(readers, 0) + in_phase(readers, 1)
}

#[test]
fn a_section_counts_until_it_ends() {
    let readers = Readers::new();
    let section = readers.enter();
    let inner = readers.enter();
    assert_eq!(in_progress(&readers), 2);
    drop(inner);
    assert_eq!(in_progress(&readers), 1);
    drop(section);
    assert_eq!(in_progress(&readers), 0);
}

/// So the other one can only drain, and a writer's wait for it ends.
#[test]
fn a_section_begins_in_the_current_phase() {
    let readers = Readers::new();
    for phase in [0, 1, 0, 1] {
        readers.set_phase(phase);
        assert_eq!(readers.phase(), phase);
        let section = readers.enter();
        assert_eq!((in_phase(&readers, phase), in_phase(&readers, 1 - phase)), (1, 0), "phase {phase}");
        drop(section);
    }
}

/// Stacks lie below each other, at the distance of a stack's size and its guard. Of so many no more than a few meet in
/// one counter.
#[test]
fn stacks_are_spread_over_the_shards() {
    const STACKS: usize = 32;
    // glibc's and the main thread's, Rust's, musl's, and what embedders ask for.
    for size in [8192, 8192 + 4, 2048 + 4, 128 + 8, 256 + 4, 1024 + 4, 64 + 4, 512] {
        for top in [0x7fff_f7d8_3e40, 0x7f12_3456_7e40, 0x7000_1020_0ff0, 0x1_5ed0_2a40] {
            let mut counts = [0; SHARDS_IN_USE];
            for number in 0..STACKS {
                counts[hash_of_stack(top - number * size * 1024) % SHARDS_IN_USE] += 1;
            }
            assert!(counts.iter().all(|&count| count <= STACKS / 4), "{size} KiB, {top:#x}: {counts:?}");
        }
    }
}

/// Each of so many that are in a section at once counts, and not all in one counter: where their stacks are is the
/// system's choice.
#[test]
fn threads_count_in_several_shards() {
    const THREADS: usize = 32;
    let readers = Readers::new();
    let may_go = AtomicBool::new(false);
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let (is_in, are_in) = std::sync::mpsc::channel();
        for _ in 0..THREADS {
            let (is_in, readers, may_go) = (is_in.clone(), &readers, &may_go);
            scope.spawn(move || {
                let _section = readers.enter();
                is_in.send(()).expect("somebody listens");
                drop(is_in);
                while !may_go.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            });
        }
        drop(is_in);
        // It ends when each has sent its word, or has failed.
        let entered = are_in.iter().count();
        let counts = readers.sections(0).map(|sections| sections()).collect();
        may_go.store(true, Ordering::Relaxed);
        assert_eq!(entered, THREADS);
        counts
    });
    assert_eq!(counts.iter().sum::<usize>(), THREADS);
    assert!(counts.iter().all(|&count| count < THREADS), "{counts:?}");
}

/// Each process of a line of forks leaves a reader behind that its child does not have, be it of the one phase or of
/// the other. The counters of the first are used again after a while.
#[test]
fn no_descendant_waits_for_the_readers_of_its_forefathers() {
    for phase in [0, 1] {
        let readers = Readers::new();
        readers.set_phase(phase);
        for generation in 0..3 * BANKS {
            core::mem::forget(readers.enter());
            readers.reset_after_fork();
            assert_eq!(in_progress(&readers), 0, "generation {generation}, phase {phase}");
        }
    }
}

/// A handler that has interrupted a section forks, and the child returns from it.
#[test]
fn a_section_that_a_fork_has_interrupted_ends_where_it_began() {
    let readers = Readers::new();
    for _ in 0..3 * BANKS {
        let section = readers.enter();
        readers.reset_after_fork();
        assert_eq!(in_progress(&readers), 0);
        drop(section);
        assert_eq!(in_progress(&readers), 0);
    }
}
