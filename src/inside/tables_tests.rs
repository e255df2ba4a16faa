//! Which fault handler is asked about a fault, and who comes next; and what is said of a thread.

use super::*;
use crate::inside::land::tests::{Stack, WORDS, thread};
use crate::outside::fault_handlers::{self, Unused};
use crate::shared::activation::droppable_for;

unsafe extern "C" fn forwards(_fault: *mut wasmtrap_fault_t, _user: *mut core::ffi::c_void) -> wasmtrap_verdict_t {
    WASMTRAP_VERDICT_FORWARD
}

fn set(client: wasmtrap_client_t, kinds: u32, any_fault: bool) {
    let mut unused = Unused::one().expect("memory");
    fault_handlers::set(client, Some(forwards), core::ptr::null_mut(), kinds, any_fault, &mut unused).expect("room");
}

/// In code of that client's.
fn findings(owner: Option<wasmtrap_client_t>, trap: Option<wasmtrap_code_t>) -> Findings {
    let (id, user, kinds, offset, strict) = (1, 0, !0, 0, false);
    let code = owner.map(|client| CodeHit { id, user, client, kinds, offset, strict, site: Site::NoTable });
    Findings { code, trap, ..Findings::default() }
}

/// The clients whose handlers are asked, one after the other.
fn order(live: &Live<'_>, kind: Kind, findings: &Findings) -> Vec<wasmtrap_client_t> {
    let (mut asked, mut order) = (Asked::Nobody, Vec::new());
    while let Some(handler) = live.find_next_to_ask(kind, findings, asked) {
        order.push(handler.client);
        let owners = Some(handler.client) == findings.owner();
        asked = if owners { Asked::Owner } else { Asked::UpTo(handler.turn) };
    }
    order
}

#[test]
fn owners_are_asked_and_then_those_who_want_any_fault_each_about_its_kinds() {
    let _turn = fault_handlers::tests::TURN.lock();
    set(101, WASMTRAP_FAULT_MEMORY, true);
    set(102, WASMTRAP_FAULT_ILLEGAL, true);
    set(103, WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL, false);
    set(104, WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL, true);
    let live = Live::now(0);
    let asked = |kind, owner| order(&live, kind, &findings(owner, None));
    assert_eq!(asked(Kind::Memory, None), [101, 104]);
    assert_eq!(asked(Kind::Illegal, None), [102, 104]);
    assert_eq!(asked(Kind::Breakpoint, None), []);
    assert_eq!(asked(Kind::Memory, Some(103)), [103, 101, 104]);
    assert_eq!(asked(Kind::Illegal, Some(104)), [104, 102]);
    assert_eq!(asked(Kind::Illegal, Some(101)), [102, 104], "not the owner, who did not ask for that kind");
    assert_eq!(asked(Kind::Memory, Some(105)), [101, 104], "an owner without a handler");
    let trap = |owner| order(&live, Kind::Memory, &findings(owner, Some(7)));
    assert_eq!(trap(Some(103)), [103]);
    assert_eq!(trap(Some(102)), []);
    assert_eq!(trap(None), []);
    let nobody = Live::without_fault_handlers(0);
    assert_eq!(order(&nobody, Kind::Memory, &findings(None, None)), []);
    assert!(live.has_fault_handlers() && !nobody.has_fault_handlers());
    assert!(live.is_to_be_asked(Kind::Memory, &findings(None, None)));
    assert!(!live.is_to_be_asked(Kind::Breakpoint, &findings(None, None)));
    assert!(!nobody.is_to_be_asked(Kind::Memory, &findings(None, None)));
    drop(nobody);
    drop(live);
    for client in 101..=104 {
        fault_handlers::remove(client, &mut Unused::new());
    }
}

#[test]
fn what_is_said_of_a_thread_is_of_its_innermost_call_that_is_alive() {
    let mut stack = Stack::new();
    let (outer, inner) = (stack.call(200), stack.call(100));
    let bounds = stack.bounds(0, WORDS);
    let thread = thread(bounds, bounds, &[outer, inner]);
    // SAFETY: a frame's memory.
    unsafe { &*outer }.droppable.store(droppable_for(5), Ordering::Relaxed);
    let live = |index: usize| Live::of_stopped(&thread, stack.at(index));
    let (in_inner, in_outer, outside) = (live(50), live(150), live(250));
    assert!(!in_inner.may_be_dropped(5) && in_outer.may_be_dropped(5) && !outside.may_be_dropped(5));
    assert!(!in_outer.may_be_dropped(4));
    let stack_of = |live: &Live<'_>| live.protected_stack().map(|found| (found.bounds, found.sp));
    assert_eq!(stack_of(&in_inner), Some((bounds, stack.at(50))));
    assert_eq!(stack_of(&in_outer), Some((bounds, stack.at(150))));
    assert_eq!(stack_of(&outside), None);
}
