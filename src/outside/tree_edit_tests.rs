//! How many nodes an edit takes: what the reservations rest on.

use super::*;
use crate::outside::allocation::{accounting, release};
use crate::outside::node_pool::{Missing, NodeList};
use crate::shared::readers::Readers;

/// The most nodes that an edit of a kind took, and was allowed to, in trees of two levels or more.
#[derive(Default, Debug, PartialEq)]
struct Most {
    taken: usize,
    allowed: usize,
}

impl Most {
    fn note(&mut self, taken: usize, allowed: usize, height: usize) {
        assert!(taken <= allowed, "{taken} nodes were taken, {allowed} were reserved");
        if height == 3 {
            self.taken = self.taken.max(taken);
            self.allowed = allowed;
        }
    }
}

#[test]
fn an_edit_takes_no_more_nodes_than_it_reserves_and_reserves_no_more_than_it_may_need() {
    let live_before = accounting::live();
    let readers = Readers::new();
    let mut pool = NodePool::new(&readers);
    // Edits do not look at entries.
    let entry = NonNull::dangling();
    let (mut root, mut keys) = (ptr::null(), Vec::new());
    let (mut insertions, mut removals) = (Most::default(), Most::default());

    let mut random = 1_u64;
    for step in 0..60_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = (random >> 33) as usize;
        // SAFETY: the tree is this test's.
        let height = unsafe { height(root) };
        // It grows and shrinks by turns, across all heights up to four.
        let grows = keys.is_empty() || (pick % 16 < 12) == (step / 4_000 % 2 == 0);
        let allowed = if grows { nodes_to_insert(height) } else { nodes_to_remove(height) };
        let mut hand = NodeList::new();
        if let Err(Missing(nodes)) = pool.reserve(allowed, 0, &mut hand) {
            hand.grow_to(nodes).expect("there is memory");
            assert_eq!(pool.reserve(allowed, 0, &mut hand), Ok(()));
        }
        let [spare, retired, _] = pool.counts();
        // SAFETY: the key is not in the tree, or is; there are no readers; the nodes are reserved.
        unsafe {
            if grows {
                let key = (random >> 20) as usize;
                keys.push(key);
                root = insert(root, key, entry, &mut pool);
            } else {
                let key = keys.swap_remove(pick / 16 % keys.len());
                root = remove(root, key, &mut pool);
            }
        }
        let [spare_after, retired_after, _] = pool.counts();
        let (taken, retired) = (spare - spare_after, retired_after - retired);
        if grows {
            insertions.note(taken, allowed, height);
        } else {
            removals.note(taken, allowed, height);
            assert!(retired >= taken, "a removal gives back {retired} nodes for {taken}");
        }
    }
    for most in [insertions, removals] {
        assert_eq!(most.taken, most.allowed, "the bound is reached");
    }

    pool.reclaim();
    pool.release_spare();
    drop(pool);
    // SAFETY: the tree is this test's; its nodes came from `allocate`.
    unsafe { take_apart(root, &mut |_| (), &mut |node| release(node)) };
    assert_eq!(accounting::live(), live_before);
}

/// The keys of a tree, which keeps the invariants of `shared::tree`.
fn keys_of(node: &Node, least: usize) -> Vec<usize> {
    let count = node.count as usize;
    assert!((least..=FANOUT).contains(&count), "{count} slots at level {}", node.level);
    assert!(node.keys[count..].iter().all(|&unused| unused == usize::MAX));
    let below = |(key, slot): Pair| match node.level {
        0 => vec![key],
        level => {
            // SAFETY: the slots of nodes above the leaves are nodes.
            let child = unsafe { &*slot.child };
            assert_eq!((child.keys[0], child.level), (key, level - 1));
            keys_of(child, LEAST)
        }
    };
    node.pairs().flat_map(below).collect()
}

#[test]
fn edits_in_place_come_to_the_tree_that_other_edits_come_to() {
    let readers = Readers::new();
    let mut pool = NodePool::new(&readers);
    let (mut root, mut keys) = (ptr::null(), std::collections::BTreeMap::new());
    let (mut edits, mut same) = (0, 0);

    let mut random = 1_u64;
    for step in 0..20_000_usize {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = (random >> 33) as usize % 4_096;
        let mut hand = NodeList::new();
        hand.grow_to(20).expect("there is memory");
        assert_eq!(pool.reserve(20, 0, &mut hand), Ok(()));
        let before = root;
        // Entries are told apart, and not looked at.
        let entry = ptr::without_provenance_mut::<Entry>(step + 1);
        // By turns more of the one and more of the other, so that trees of all heights are there; 0 is below all.
        let grows = (step / 2_500).is_multiple_of(2) != (random >> 20).is_multiple_of(4);
        // SAFETY: the key is not in the tree, or is; there are no readers; the nodes are reserved.
        unsafe {
            match (grows, keys.contains_key(&key)) {
                (true, false) => {
                    keys.insert(key, entry);
                    root = insert_in_place(root, key, NonNull::new_unchecked(entry), &mut pool);
                }
                (false, true) => {
                    keys.remove(&key);
                    root = remove_in_place(root, key, &mut pool);
                }
                _ => continue,
            }
        }
        edits += 1;
        same += usize::from(before == root && !root.is_null());
        if edits % 8 != 0 && keys.len() > 100 {
            continue;
        }
        // SAFETY: the tree is this test's.
        let found = unsafe { root.as_ref() }.map_or_else(Vec::new, |root| keys_of(root, 1));
        assert!(found.iter().eq(keys.keys()), "after step {step}");
        for (key, expected) in keys.iter().step_by(97) {
            // SAFETY: as above.
            let entry = unsafe { crate::inside::find::place_at_or_below(root, *key) };
            assert!(entry.is_some_and(|entry| ptr::eq(entry, *expected)), "key {key} after step {step}");
        }
    }
    // A leaf that overflows or runs short is seldom.
    assert!(same * 10 > edits * 7, "{same} of {edits} edits kept the root");

    pool.reclaim();
    pool.release_spare();
    drop(pool);
    // SAFETY: the tree is this test's; its nodes came from `allocate`.
    unsafe { take_apart(root, &mut |_| (), &mut |node| release(node)) };
}
