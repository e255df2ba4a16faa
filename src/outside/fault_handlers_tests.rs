//! When a fault handler that was taken away is freed.

use core::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::AtomicBool;
use std::thread;

use super::{Unused, remove, set};
use crate::shared::abi::*;
use crate::shared::readers::READERS;
use crate::shared::state::{FAULT_HANDLERS, FaultHandler, Pinned, nobody};

unsafe extern "C" fn traps(_fault: *mut wasmtrap_fault_t, _user: *mut core::ffi::c_void) -> wasmtrap_verdict_t {
    WASMTRAP_VERDICT_TRAP
}

/// All tests use the same places, and none may see another one's handlers.
pub(crate) static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn find(client: wasmtrap_client_t) -> Option<*const FaultHandler> {
    FAULT_HANDLERS
        .iter()
        .map(|place| place.load(SeqCst))
        // SAFETY: null or a handler, which nobody frees before the test has taken it away.
        .find(|&handler| unsafe { handler.as_ref() }.is_some_and(|handler| handler.client == client))
        .map(<*mut FaultHandler>::cast_const)
}

fn set_for(client: wasmtrap_client_t) -> *const FaultHandler {
    let mut unused = Unused::one().expect("memory");
    set(client, Some(traps), core::ptr::null_mut(), WASMTRAP_FAULT_MEMORY, false, &mut unused).expect("room");
    find(client).expect("it was set")
}

fn is_empty(unused: &Unused) -> bool {
    unused.first.is_null()
}

#[test]
fn taking_one_away_waits_for_threads_that_have_found_it() {
    const CLIENT: wasmtrap_client_t = 4711;
    let _turn = TURN.lock();
    let handler = set_for(CLIENT);
    let section = READERS.enter();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut unused = Unused::new();
            remove(CLIENT, &mut unused);
            is_done.store(true, SeqCst);
            // In the section it was not pinned.
            assert!(!is_empty(&unused));
        });
        while find(CLIENT).is_some() {
            thread::yield_now();
        }
        for _ in 0..200 {
            assert!(!is_done.load(SeqCst), "a reader is left that has found it");
            thread::yield_now();
            thread::sleep(core::time::Duration::from_micros(100));
        }
        // SAFETY: a section that began before it was taken away lasts.
        assert_eq!(unsafe { (*handler).client }, CLIENT);
        drop(section);
    });
}

#[test]
fn one_that_a_thread_is_in_is_freed_later_and_entered_by_nobody() {
    const CLIENT: wasmtrap_client_t = 4712;
    let _turn = TURN.lock();
    let handler = set_for(CLIENT);
    let section = READERS.enter();
    // SAFETY: it was found in the section, or could have been.
    let pinned = unsafe { Pinned::new(handler) };
    drop(section);
    let mut unused = Unused::new();
    remove(CLIENT, &mut unused);
    assert!(is_empty(&unused), "it is pinned");
    assert_eq!(pinned.function.load(SeqCst), nobody as *mut core::ffi::c_void, "whoever enters it finds nobody");
    drop(pinned);
    let mut unused = Unused::one().expect("memory");
    set(CLIENT, Some(traps), core::ptr::null_mut(), WASMTRAP_FAULT_MEMORY, false, &mut unused).expect("room");
    assert!(!is_empty(&unused), "whoever changes something next gets it to free");
    remove(CLIENT, &mut unused);
}
