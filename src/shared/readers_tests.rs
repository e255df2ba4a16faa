//! Readers and forks of forks.

use super::{BANKS, Readers};

fn in_progress(readers: &Readers) -> usize {
    [0, 1].into_iter().flat_map(|phase| readers.sections(phase)).map(|sections| sections()).sum()
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
