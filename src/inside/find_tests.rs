//! The search inside of a node, and the search for a trap site, against the plain way of doing it.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize};

use proptest::prelude::*;

use super::{at_or_below, rank, site_code};
use crate::shared::tree::{Entry, FANOUT, Node, Site, UNUSED};

fn node(keys: &[usize]) -> Node {
    let (mut padded, slots) = UNUSED;
    padded[..keys.len()].copy_from_slice(keys);
    Node::new(0, keys.len() as u32, padded, slots)
}

fn entry(sites: &[Site]) -> Entry {
    let (start, last, id, user, flags, code) = (0, usize::MAX, 1, 0, 0, 0);
    Entry {
        start,
        last,
        id,
        user,
        flags,
        code,
        accessible_code: 0,
        accessible: AtomicUsize::new(0),
        client: 0,
        kinds: 0,
        sites: sites.as_ptr(),
        site_count: sites.len(),
        next: AtomicPtr::new(ptr::null_mut()),
    }
}

#[test]
fn an_empty_tree_has_nothing_at_any_address() {
    for address in [0, 1, usize::MAX] {
        // SAFETY: null is the empty tree.
        assert!(unsafe { at_or_below(ptr::null(), address) }.is_none());
    }
}

#[test]
fn an_empty_site_table_is_one_and_has_no_site() {
    let mut empty = entry(&[]);
    empty.sites = NonNull::dangling().as_ptr();
    assert!(empty.has_sites());
    assert_eq!(site_code(&empty, 0), None);

    let none = Entry { sites: ptr::null(), ..entry(&[]) };
    assert!(!none.has_sites());
    assert_eq!(site_code(&none, 0), None);
}

/// Keys and probes that are often equal, and often at the ends of the address space.
fn address() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..40, (0_usize..40).prop_map(|below| usize::MAX - below), any::<usize>()]
}

proptest! {
    #[test]
    fn rank_counts_the_keys_that_are_not_above(
        keys in prop::collection::btree_set(address(), 1..=FANOUT),
        probe in address(),
    ) {
        let keys: Vec<usize> = keys.into_iter().collect();
        let expected = keys.iter().filter(|&&key| key <= probe).count();
        prop_assert_eq!(rank(&node(&keys), probe), expected);
    }

    #[test]
    fn a_site_is_found_where_there_is_one_and_nowhere_else(
        sites in prop::collection::btree_map(prop_oneof![0_u32..100, any::<u32>()], any::<u32>(), 0..60),
        elsewhere in prop::collection::vec(prop_oneof![0_u32..100, any::<u32>()], 20),
    ) {
        let table: Vec<Site> = sites.iter().map(|(&offset, &code)| Site { offset, code }).collect();
        let entry = entry(&table);
        for offset in sites.keys().copied().chain(elsewhere).chain([0, u32::MAX]) {
            prop_assert_eq!(site_code(&entry, offset), sites.get(&offset).copied());
        }
    }
}
