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
