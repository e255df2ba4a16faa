//! The list of calls, as `wasmtrap_call` leaves it.

use super::*;

/// With these calls, the outermost first. They are numbers: nothing is read there.
fn list(calls: &[usize]) -> Box<Calls> {
    let mut list = Box::new(Calls::new());
    // SAFETY: it stays in its box.
    unsafe { Calls::settle(&raw mut *list) };
    for (index, &call) in calls.iter().enumerate() {
        list.set(index, call as *mut Activation);
    }
    list.set_depth(calls.len());
    list
}

fn calls(list: &Calls) -> Vec<usize> {
    (0..list.depth()).map(|index| list.get(index).addr()).collect()
}

/// All entries that there is room for, be they in use or not.
fn entries(list: &Calls) -> Vec<usize> {
    (0..FIRST_CAPACITY).map(|index| list.get(index).addr()).collect()
}

#[test]
fn the_room_is_as_large_as_it_says_and_lies_behind_the_bottom() {
    let list = list(&[1; FIRST_CAPACITY]);
    assert_eq!(list.capacity.load(Ordering::Relaxed), FIRST_CAPACITY);
    assert_eq!(list.first.len(), FIRST_CAPACITY + 1);
    assert_eq!(list.first[0].load(Ordering::Relaxed), BOTTOM);
    assert!(list.first[1..].iter().all(|entry| entry.load(Ordering::Relaxed) == 1));
}

#[test]
fn the_innermost_is_the_last() {
    assert!(list(&[]).innermost().is_null());
    assert_eq!(list(&[30]).innermost().addr(), 30);
    assert_eq!(list(&[30, 20, 10]).innermost().addr(), 10);
}

#[test]
fn a_call_is_found_by_its_address() {
    let list = list(&[30, 20, 10, 20]);
    let find = |call: usize| list.find(call as *const Activation);
    assert_eq!((find(30), find(20), find(10), find(40)), (Some(0), Some(3), Some(2), None));
}

#[test]
fn what_is_cut_off_leaves_zeros() {
    let list = list(&[30, 20, 10]);
    list.cut(1);
    assert_eq!(calls(&list), [30]);
    assert_eq!(entries(&list)[1..], [0; FIRST_CAPACITY - 1]);
    list.cut(0);
    assert_eq!(entries(&list), [0; FIRST_CAPACITY]);
}

#[test]
fn what_is_further_in_than_a_call_that_is_removed_moves_up() {
    for (index, left) in [(0, [30, 20, 10]), (1, [40, 20, 10]), (3, [40, 30, 20])] {
        let list = list(&[40, 30, 20, 10]);
        list.remove(index);
        assert_eq!(calls(&list), left, "{index}");
        assert_eq!(entries(&list)[3..], [0; FIRST_CAPACITY - 3]);
    }
}
