//! The order in which engines, the library and those before it are asked. Places are the process's, so that one test
//! fills them.

use core::sync::atomic::Ordering;

use super::*;
use crate::shared::adopted::{ADOPTED, FREE, PLACES, use_place};

static HANDLERS: [Disposition; 4] = [const { Disposition { handler: 4711, flags: 0, mask: 0, restorer: 0 } }; 4];

/// The last places, so that what others use stays free.
fn adopt(number: usize, id: u64, client: u32, flags: u32) {
    let number_of_place = PLACES.len() - 1 - number;
    let place = &PLACES[number_of_place];
    use_place(number_of_place);
    place.client.store(client, Ordering::Relaxed);
    place.flags.store(flags, Ordering::Relaxed);
    place.id.store(id, Ordering::Relaxed);
    place.handlers[1].store(core::ptr::from_ref(&HANDLERS[number]).cast_mut(), Ordering::Relaxed);
    place.state.store(ADOPTED, Ordering::Release);
}

const NOBODY_S: Owner = Owner { client: 0, adopted: false, marked: 0 };

fn adopted_by(client: u64) -> Owner {
    Owner { client: client + 1, adopted: true, marked: 0 }
}

fn code_of(client: u64) -> Owner {
    Owner { client: client + 1, adopted: false, marked: 0 }
}

fn marked(id: u64) -> Owner {
    Owner { marked: id, ..NOBODY_S }
}

/// The numbers of those that are asked, one after the other; 100 is the library.
fn order(owner: Owner) -> Vec<usize> {
    let faults = Faults { signal: 1, owner };
    let (mut asked, mut order) = (NOBODY, Vec::new());
    loop {
        let (next, now) = faults.next(asked);
        asked = now;
        match next {
            Next::Engine(handler) => order.push(HANDLERS.iter().position(|one| core::ptr::eq(one, handler)).unwrap()),
            Next::Library => order.push(100),
            Next::Earlier => return order,
        }
    }
}

#[test]
fn owners_come_first_and_strangers_are_not_asked() {
    // By their ids: 1, 0, 2, 3.
    adopt(0, 20, 5, 0);
    adopt(1, 10, 6, 0);
    adopt(2, 30, 6, WASMTRAP_ADOPT_OWN_FAULTS);
    adopt(3, 40, 5, 0);
    assert_eq!(order(NOBODY_S), [100, 1, 0, 3]);
    assert_eq!(order(adopted_by(6)), [1, 2, 100]);
    assert_eq!(order(adopted_by(7)), [100]);
    assert_eq!(order(code_of(5)), [100, 0, 3]);
    assert_eq!(order(code_of(7)), [100]);
    assert_eq!(order(marked(30)), [2, 100, 1, 0, 3]);
    assert_eq!(order(marked(20)), [0, 100, 1, 3]);
    assert!(!Faults { signal: 0, owner: NOBODY_S }.concern_engines());
    assert!(!Faults { signal: 1, owner: code_of(7) }.concern_engines());
    assert!(Faults { signal: 1, owner: adopted_by(6) }.concern_engines());
    assert!(Faults { signal: 1, owner: NOBODY_S }.concern_engines(), "no engine's, and all may be asked");
    let faults = Faults { signal: 1, owner: marked(30) };
    assert_eq!(faults.asked_up_to(&PLACES[PLACES.len() - 3]), Asked::Owners(30));
    assert_eq!(faults.asked_up_to(&PLACES[PLACES.len() - 1]), Asked::Others(20));
    for place in &PLACES[PLACES.len() - 4..] {
        place.state.store(FREE, Ordering::Release);
    }
    assert_eq!(order(NOBODY_S), [100], "none is adopted any more");
}
