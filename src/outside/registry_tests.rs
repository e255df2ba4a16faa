//! The tables against a plain model; under readers; without memory; large; across a fork.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::inside::find::site_code;
use crate::outside::allocation::accounting;
use crate::shared::tree::{FANOUT, LEAST};

/// Two registries with one lock, as the library has them, emptied afterwards and checked for leaks.
fn with_registries<R>(test: impl FnOnce([&Registry<'_>; 2]) -> R) -> R {
    let live_before = accounting::live();
    let readers = Readers::new();
    let tables = [Table::new(&readers), Table::new(&readers)];
    let writers = Locked::new(Writers::new(&readers));
    let code = Registry::new(Kind::Code, &tables[0], &writers);
    let regions = Registry::new(Kind::Region, &tables[1], &writers);
    let result = test([&code, &regions]);
    for registry in [code, regions] {
        registry.clear(&mut Garbage::new());
        assert_eq!(contents(&registry), []);
    }
    assert_eq!(accounting::live(), live_before, "all that was allocated is released");
    result
}

/// What identifies a range: all else in it follows, so that a reader who finds a torn or freed entry can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    start: usize,
    last: usize,
    nonce: u32,
}

impl Range {
    fn user(&self) -> usize {
        (self.start ^ self.last.rotate_left(21) ^ self.nonce as usize).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// None, or up to 6 of them.
    fn sites(&self) -> Option<Vec<Site>> {
        let count = (self.nonce % 8).checked_sub(1)?;
        Some((0..count).map(|n| Site { offset: 3 * n + 1, code: self.nonce.rotate_left(n) }).collect())
    }

    fn insert_into(&self, registry: &Registry<'_>) -> Result<u64, RegistryError> {
        let sites = self.sites();
        registry.insert(NewEntry {
            start: self.start,
            last: self.last,
            user: self.user(),
            client: 0,
            kinds: 0,
            flags: !self.nonce,
            code: self.nonce,
            accessible: 0,
            accessible_code: 0,
            sites: sites.as_deref(),
        })
    }

    fn of(entry: &Entry) -> Self {
        let range = Range { start: entry.start, last: entry.last, nonce: entry.code };
        assert_eq!(entry.user, range.user());
        assert_eq!(entry.flags, !range.nonce);
        let sites = range.sites();
        assert_eq!(entry.has_sites(), sites.is_some());
        assert_eq!(entry.site_count, sites.as_ref().map_or(0, Vec::len));
        for site in sites.iter().flatten() {
            assert_eq!(site_code(entry, site.offset), Some(site.code));
            assert_eq!(site_code(entry, site.offset + 1), None);
        }
        range
    }

    fn overlaps(&self, other: &Range) -> bool {
        self.start <= other.last && other.start <= self.last
    }
}

/// Checks all that is said of trees and registries, and returns the entries by start.
fn contents(registry: &Registry<'_>) -> Vec<(u64, Range)> {
    let writers = registry.writers.lock();
    let ledger = &writers.ledgers[registry.kind as usize];
    let [by_start, mut by_id] = [(registry.table.root(), false), (ledger.by_id, true)].map(|(root, by_id)| {
        let mut entries = Vec::new();
        // SAFETY: the lock is held.
        if let Some(root) = unsafe { root.as_ref() } {
            assert!(root.level == 0 || root.count >= 2);
            check_node(root, 1, &|entry| if by_id { entry.id as usize } else { entry.start }, &mut entries);
        }
        entries
    });
    assert_eq!(by_start.len(), ledger.len);
    let [spare, _, promised] = writers.pool.counts();
    assert!(spare >= promised, "the next removals find the nodes that they need");
    assert!(by_start.is_sorted_by(|(_, low), (_, high)| low.last < high.start));
    by_id.sort_by_key(|(_, range)| range.start);
    assert_eq!(by_start, by_id);
    by_start
}

fn check_node(node: &Node, least: u32, key: &dyn Fn(&Entry) -> usize, entries: &mut Vec<(u64, Range)>) {
    assert!((least..=FANOUT as u32).contains(&node.count));
    assert!(node.pairs().is_sorted_by(|(low, _), (high, _)| low < high));
    assert!(node.keys[node.count as usize..].iter().all(|&unused| unused == usize::MAX));
    for (slot_key, slot) in node.pairs() {
        if node.level == 0 {
            // SAFETY: the slots of a leaf are entries.
            let entry = unsafe { &*slot.entry };
            assert_eq!(slot_key, key(entry));
            entries.push((entry.id, Range::of(entry)));
        } else {
            // SAFETY: the slots of other nodes are nodes.
            let child = unsafe { &*slot.child };
            assert_eq!((slot_key, node.level - 1), (child.keys[0], child.level));
            check_node(child, LEAST as u32, key, entries);
        }
    }
}

fn heights(registry: &Registry<'_>) -> [usize; 2] {
    let writers = registry.writers.lock();
    // SAFETY: the lock is held.
    unsafe { [height(registry.table.root()), height(writers.ledgers[registry.kind as usize].by_id)] }
}

/// What is promised for removals is there, and enough for the trees as high as they are.
fn check_promise(registries: [&Registry<'_>; 2]) {
    for registry in registries {
        let needed: usize = heights(registry).map(nodes_to_remove).iter().sum();
        let [spare, _, promised] = registry.writers.lock().pool.counts();
        assert!(registry.len() == 0 || promised >= needed, "{promised} nodes are promised, a removal takes {needed}");
        assert!(spare >= promised, "{promised} nodes are promised, {spare} are spare");
    }
}

// --- Against a model -------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Step {
    Insert(Range),
    /// Unregister the n-th id that was ever given out, or one near it that was not.
    Remove(prop::sample::Index),
    RemoveForeign(u64),
    Find(usize),
    Clear,
}

/// A few thousand addresses at either end of the address space, so that ranges meet often, and reach the very ends.
fn address() -> impl Strategy<Value = usize> {
    const CLOSE: usize = 3000;
    prop_oneof![0..CLOSE, (0..CLOSE).prop_map(|below| usize::MAX - below)]
}

fn range() -> impl Strategy<Value = Range> {
    (address(), prop_oneof![Just(0_usize), 0_usize..12, 0_usize..200], any::<u32>())
        .prop_map(|(start, length, nonce)| Range { start, last: start.saturating_add(length), nonce })
}

/// `clears`, of 1000, are clears.
fn step(clears: u32) -> impl Strategy<Value = Step> {
    prop_oneof![
        550 => range().prop_map(Step::Insert),
        250 => any::<prop::sample::Index>().prop_map(Step::Remove),
        20 => prop_oneof![any::<u64>(), 0_u64..1000].prop_map(Step::RemoveForeign),
        180 - clears => address().prop_map(Step::Find),
        clears => Just(Step::Clear),
    ]
}

/// What one registry has to do.
#[derive(Default)]
struct Model {
    ranges: BTreeMap<u64, Range>,
}

impl Model {
    fn in_the_way(&self, of: &Range) -> Vec<RegistryError> {
        let overlapping = self.ranges.iter().filter(|(_, range)| range.overlaps(of));
        overlapping.map(|(&id, range)| RegistryError::Overlap { start: range.start, last: range.last, id }).collect()
    }

    fn at(&self, address: usize) -> Option<(u64, Range)> {
        let of = Range { start: address, last: address, nonce: 0 };
        self.ranges.iter().find(|(_, range)| range.overlaps(&of)).map(|(&id, &range)| (id, range))
    }

    fn by_start(&self) -> Vec<(u64, Range)> {
        let mut ranges: Vec<_> = self.ranges.iter().map(|(&id, &range)| (id, range)).collect();
        ranges.sort_by_key(|(_, range)| range.start);
        ranges
    }
}

/// Two models that share a run of ids, as the registries do.
struct Models {
    both: [Model; 2],
    next_id: u64,
}

impl Models {
    fn new() -> Self {
        Self { both: Default::default(), next_id: 1 }
    }

    /// Takes the step on a registry and on its model, and compares. Returns the id that was unregistered.
    fn take(&mut self, registries: [&Registry<'_>; 2], which: usize, step: &Step) -> Option<u64> {
        let (registry, model) = (registries[which], &mut self.both[which]);
        match step {
            Step::Insert(range) => {
                let in_the_way = model.in_the_way(range);
                match range.insert_into(registry) {
                    Ok(id) => {
                        assert_eq!((id, &in_the_way), (self.next_id, &vec![]));
                        self.next_id += 1;
                        model.ranges.insert(id, *range);
                    }
                    Err(error) => assert!(in_the_way.contains(&error), "{error:?} is one of {in_the_way:?}"),
                }
            }
            Step::Remove(index) => return self.remove(registry, which, index.index(self.next_id as usize + 1) as u64),
            Step::RemoveForeign(id) => return self.remove(registry, which, *id),
            Step::Find(address) => {
                let found = registry.find(*address, |entry| (entry.id, Range::of(entry)));
                assert_eq!(found, model.at(*address));
            }
            Step::Clear => {
                registry.clear(&mut Garbage::new());
                model.ranges.clear();
            }
        }
        None
    }

    fn remove(&mut self, registry: &Registry<'_>, which: usize, id: u64) -> Option<u64> {
        let removed = self.both[which].ranges.remove(&id).map(|_| id);
        assert_eq!(registry.remove(id), removed.map(|_| ()).ok_or(RegistryError::UnknownId));
        removed
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn registries_do_what_the_model_does(steps in prop::collection::vec((0_usize..2, step(3)), 1..600)) {
        with_registries(|registries| {
            let mut models = Models::new();
            for (which, step) in &steps {
                models.take(registries, *which, step);
                for (registry, model) in registries.iter().zip(&models.both) {
                    assert_eq!(registry.len(), model.ranges.len());
                }
                assert_eq!(contents(registries[*which]), models.both[*which].by_start());
                check_promise(registries);
            }
        });
    }

    /// The first half of the sequence for every address: the way in is another than that of the model test.
    #[test]
    fn every_address_of_a_range_finds_it_and_its_neighbours_do_not(ranges in prop::collection::vec(range(), 1..200)) {
        with_registries(|[registry, _]| {
            let mut model = Model::default();
            for range in ranges {
                if let Ok(id) = range.insert_into(registry) {
                    model.ranges.insert(id, range);
                }
            }
            for &Range { start, last, .. } in model.ranges.values() {
                let middle = start + (last - start) / 2;
                for address in [start.wrapping_sub(1), start, middle, last, last.wrapping_add(1)] {
                    let found = registry.find(address, |entry| (entry.id, Range::of(entry)));
                    assert_eq!(found, model.at(address));
                }
            }
        });
    }
}

// --- With concurrent readers -----------------------------------------------------------------------------------------

/// Ranges that stay, between those that come and go.
const PINNED: usize = 40;
const PINNED_STRIDE: usize = usize::MAX / (PINNED + 1);

fn pinned(n: usize) -> Range {
    let start = (n + 1) * PINNED_STRIDE;
    Range { start, last: start + 99, nonce: n as u32 }
}

/// What readers need to know of what the writer has done.
struct Progress {
    /// Counts removals that have returned.
    removals: AtomicUsize,
    /// By id: how many removals had returned when that of this id had. 0: not removed.
    removed_as: Vec<AtomicUsize>,
    done: AtomicBool,
}

/// Looks until the writer is done: every entry is whole, ranges that stay are always found, and what was removed before
/// the look is not.
fn read(registry: &Registry<'_>, progress: &Progress, mut random: u64) {
    while !progress.done.load(SeqCst) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = (random >> 33) as usize;

        let expected = pinned(pick % PINNED);
        let found = registry.find(expected.start + pick % 100, Range::of);
        assert_eq!(found, Some(expected));

        let address = if pick.is_multiple_of(2) { pick / 2 % 3000 } else { usize::MAX - pick / 2 % 3000 };
        let removals = progress.removals.load(SeqCst);
        let found = registry.find(address, |entry| {
            let range = Range::of(entry);
            if pick.is_multiple_of(16) {
                thread::yield_now();
            }
            assert_eq!(Range::of(entry), range, "the entry does not change while it is looked at");
            (entry.id, range)
        });
        if let Some((id, range)) = found {
            assert!(range.overlaps(&Range { start: address, last: address, nonce: 0 }));
            let removed_as = progress.removed_as[id as usize].load(SeqCst);
            assert!(removed_as == 0 || removed_as > removals, "a removed range was found");
        }
    }
}

/// Ends the readers even if the writer fails.
struct DoneWhenDropped<'p>(&'p Progress);

impl Drop for DoneWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, SeqCst);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn readers_see_whole_versions_and_nothing_that_was_removed(
        steps in prop::collection::vec(step(0), 200..1500),
        seed in any::<u64>(),
    ) {
        with_registries(|registries| {
            let mut models = Models::new();
            for n in 0..PINNED {
                models.take(registries, 0, &Step::Insert(pinned(n)));
            }
            let progress = Progress {
                removals: AtomicUsize::new(0),
                removed_as: (0..PINNED + steps.len() + 2).map(|_| AtomicUsize::new(0)).collect(),
                done: AtomicBool::new(false),
            };
            thread::scope(|scope| {
                let _done = DoneWhenDropped(&progress);
                for reader in 0..2 {
                    let progress = &progress;
                    scope.spawn(move || read(registries[0], progress, seed ^ reader));
                }
                for step in &steps {
                    let removes_pinned = match step {
                        Step::Remove(index) => index.index(models.next_id as usize + 1) <= PINNED,
                        Step::RemoveForeign(id) => *id <= PINNED as u64,
                        _ => false,
                    };
                    if !removes_pinned && let Some(id) = models.take(registries, 0, step) {
                        let removals = progress.removals.load(SeqCst) + 1;
                        progress.removed_as[id as usize].store(removals, SeqCst);
                        progress.removals.store(removals, SeqCst);
                    }
                }
            });
            assert_eq!(contents(registries[0]), models.both[0].by_start());
        });
    }
}

#[test]
fn unregistering_returns_only_when_no_reader_looks_any_more() {
    with_registries(|[registry, _]| {
        let range = Range { start: 100, last: 199, nonce: 7 };
        let id = range.insert_into(registry).expect("nothing is in the way");
        let (looking, removed) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                registry.find(150, |entry| {
                    looking.store(true, SeqCst);
                    // Until the entry is unpublished for others, and longer, so that an early return would show.
                    while registry.find(150, |_| ()).is_some() {
                        thread::yield_now();
                    }
                    for _ in 0..1000 {
                        thread::yield_now();
                        assert!(!removed.load(SeqCst));
                        assert_eq!(Range::of(entry), range);
                    }
                })
            });
            while !looking.load(SeqCst) {
                thread::yield_now();
            }
            assert_eq!(registry.remove(id), Ok(()));
            removed.store(true, SeqCst);
        });
    });
}

#[test]
fn registering_does_not_wait_for_a_reader() {
    with_registries(|[registry, regions]| {
        let range = |n: usize| Range { start: 100 * n, last: 100 * n + 99, nonce: n as u32 };
        range(1).insert_into(registry).expect("nothing is in the way");
        registry.find(150, |entry| {
            // In the middle of a look, on this very thread: a wait would never end.
            let id = range(2).insert_into(registry);
            assert_eq!(id, Ok(entry.id + 1));
            assert_eq!(regions.len(), 0);
        });
    });
}

// --- Ids -------------------------------------------------------------------------------------------------------------

#[test]
fn an_id_is_known_to_its_own_registry_only_and_only_until_it_is_taken_back() {
    with_registries(|[code, regions]| {
        let range = Range { start: 0, last: usize::MAX, nonce: 3 };
        let id = range.insert_into(code).expect("nothing is in the way");
        assert_ne!(id, 0);
        for unknown in [0, id - 1, id + 1, u64::MAX] {
            assert_eq!(code.remove(unknown), Err(RegistryError::UnknownId));
        }
        assert_eq!(regions.remove(id), Err(RegistryError::UnknownId));
        assert_eq!(code.remove(id), Ok(()));
        assert_eq!(code.remove(id), Err(RegistryError::UnknownId));

        let second = range.insert_into(code).expect("it was taken back");
        assert_eq!(code.remove(id), Err(RegistryError::UnknownId));
        code.clear(&mut Garbage::new());
        assert_eq!(code.remove(second), Err(RegistryError::UnknownId));
        assert!(![id, second].contains(&range.insert_into(code).expect("all was cleared")));
    });
}

// --- Without memory --------------------------------------------------------------------------------------------------

#[test]
fn registering_without_memory_changes_nothing_and_leaks_nothing() {
    with_registries(|[registry, _]| {
        let mut failures = 0;
        // So many that trees of one, two and three levels grow, at each of whose insertions each allocation fails once.
        for n in 0..400_usize {
            // From both ends towards the middle, with and without sites.
            let at = if n.is_multiple_of(2) { n } else { 10_000 - n };
            let range = Range { start: 10 * at, last: 10 * at + 9, nonce: n as u32 };
            let before = contents(registry);
            let mut successes = 0;
            let id = loop {
                accounting::fail_after(Some(successes));
                let result = range.insert_into(registry);
                accounting::fail_after(None);
                match result {
                    Ok(id) => break id,
                    Err(error) => assert_eq!(error, RegistryError::NoMemory),
                }
                assert_eq!(contents(registry), before);
                failures += 1;
                successes += 1;
                assert!(successes < 100, "an insertion makes a bounded number of allocations");
            };
            assert_eq!(id, n as u64 + 1);
        }
        assert!(failures > 700, "nearly every entry was refused once, most site tables, and some nodes");
    });
}

#[test]
fn unregistering_needs_no_memory() {
    with_registries(|[code, regions]| {
        const N: usize = 3000;
        for n in 0..N {
            // 1009 has no factor in common with 3000: every place comes once, in an order that mixes all parts.
            let start = 16 * (n * 1009 % N);
            for registry in [code, regions] {
                Range { start, last: start + 15, nonce: n as u32 }.insert_into(registry).expect("there is room");
            }
        }
        accounting::fail_after(Some(0));
        for n in 0..N as u64 {
            // Ids were given out in turn to the one and to the other.
            assert_eq!(code.remove(2 * n + 1), Ok(()));
            assert_eq!(regions.remove(2 * (N as u64 - n)), Ok(()));
        }
        accounting::fail_after(None);
        assert_eq!([code.len(), regions.len()], [0, 0]);
    });
}

// --- Large -----------------------------------------------------------------------------------------------------------

/// The numbers below `n` in an order that looks random.
fn shuffled(n: usize, mut random: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.swap(last, (random >> 33) as usize % (last + 1));
    }
    numbers
}

/// With the fewest slots everywhere, 2 in the root and 7 below, a tree of n entries is no deeper.
fn deepest(n: usize) -> usize {
    let mut levels = 1;
    let mut least = 2 * LEAST;
    while least <= n {
        levels += 1;
        least *= LEAST;
    }
    levels
}

#[test]
fn a_hundred_thousand_ranges_are_ordinary() {
    const N: usize = 100_000;
    let range = |n: usize| Range { start: 64 * n, last: 64 * n + 63, nonce: n as u32 };
    with_registries(|[registry, _]| {
        let live_before = accounting::live();
        let mut ids = vec![0; N];
        for (done, n) in shuffled(N, 1).into_iter().enumerate() {
            ids[n] = range(n).insert_into(registry).expect("there is room");
            if (done + 1).is_multiple_of(20_000) {
                contents(registry);
                assert!(heights(registry).into_iter().max() <= Some(deepest(done + 1)));
            }
        }
        assert_eq!(deepest(N), 6);
        assert!((0..N).all(|n| registry.find(64 * n + n % 64, Range::of) == Some(range(n))));

        // An entry, sites for 6 of 8 and, for both trees, at most a seventh of a leaf and of what is above it.
        let live = (accounting::live() - live_before) as usize;
        assert!(live <= N + N * 6 / 8 + 2 * N / (LEAST - 1) + 500, "{live} allocations");

        for (done, n) in shuffled(N, 2).into_iter().enumerate() {
            assert_eq!(registry.remove(ids[n]), Ok(()));
            let left = N - done - 1;
            if left.is_multiple_of(20_000) {
                contents(registry);
                assert!(heights(registry).into_iter().max() <= Some(deepest(left)));
            }
        }
        // Nodes for the next registrations are kept, few enough not to matter.
        assert!(accounting::live() - live_before < 200);
    });
}

// --- Across a fork ---------------------------------------------------------------------------------------------------

/// The child has one thread. A section of another one must not keep its unregistrations waiting.
#[test]
fn a_forked_child_goes_on_without_the_readers_of_its_parent() {
    // A section counts in the phase in which it has begun, whichever that was.
    for phase in [0, 1] {
        fork_beside_a_reader(phase);
    }
}

fn fork_beside_a_reader(phase: usize) {
    let range = Range { start: 0x7000_0000, last: 0x7000_0FFF, nonce: 5 };
    let id = range.insert_into(&CODE).expect("no other test registers there");
    let stage = AtomicU64::new(0);
    thread::scope(|scope| {
        let writers = CODE.writers.lock();
        READERS.set_phase(phase);
        scope.spawn(|| {
            CODE.find(range.start, |_| {
                stage.store(1, SeqCst);
                while stage.load(SeqCst) == 1 {
                    thread::yield_now();
                }
            })
        });
        while stage.load(SeqCst) == 0 {
            thread::yield_now();
        }
        drop(writers);

        lock_for_fork();
        // SAFETY: the child calls nothing that needs another thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: this thread, in its parent, has the lock.
            unsafe { unlock_after_fork_in_child() };
            // If the child waits for ever, the alarm ends it.
            // SAFETY: no memory is involved.
            unsafe { libc::alarm(60) };
            let found = CODE.find(range.start, |entry| entry.id) == Some(id);
            let good = found && CODE.remove(id).is_ok() && range.insert_into(&CODE).is_ok();
            // SAFETY: as above.
            unsafe { libc::_exit(if good { 0 } else { 1 }) };
        }
        // SAFETY: this thread has the lock.
        unsafe { unlock_after_fork_in_parent() };
        let mut status = -1;
        // SAFETY: `status` is valid for a write.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        stage.store(2, SeqCst);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "status {status:#x}");
    });
    assert_eq!(CODE.remove(id), Ok(()));
}
