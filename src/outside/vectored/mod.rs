//! The Windows backend's part in ordinary context: putting the vectored handler in front of all others, noticing when
//! others go in front of it, and leaving. The same items as `signals` has.

mod list;
pub(crate) mod stand_ins;

use core::ffi::c_void;
use core::fmt::{self, Write};

use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredContinueHandler, AddVectoredExceptionHandler, RemoveVectoredContinueHandler,
    RemoveVectoredExceptionHandler,
};

use super::error::Failure;
use super::exceptions;
use super::lock::Locked;
use crate::inside::signals::entry;
use list::Place;

/// What the backend is called.
pub(crate) const NAME: &str = "vectored exception handler";

struct State {
    /// What AddVectoredExceptionHandler gave for ours; null if it is not installed.
    handle: *mut c_void,
    /// And what AddVectoredContinueHandler gave.
    continues: *mut c_void,
    /// The kinds of fault (WASMTRAP_FAULT_*) for which it is.
    kinds: u32,
}

// SAFETY: the handle is good on any thread.
unsafe impl Send for State {}

static STATE: Locked<State> =
    Locked::new(State { handle: core::ptr::null_mut(), continues: core::ptr::null_mut(), kinds: 0 });

/// Memory for what a change may find: none is needed.
pub(crate) struct Room;

impl Room {
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl State {
    /// Adds ours in front of all others, and then takes away those that were there: there is none missing in between.
    fn go_in_front(&mut self) -> Result<(), Failure> {
        const FIRST: u32 = 1;
        // SAFETY: the library is never unloaded, so that the function stays.
        let continues = unsafe { AddVectoredContinueHandler(FIRST, Some(entry::goes_on)) };
        // SAFETY: as above.
        let handle = unsafe { AddVectoredExceptionHandler(FIRST, Some(entry::vectored)) };
        let mut earlier = Self { handle, continues, kinds: 0 };
        if handle.is_null() || continues.is_null() {
            earlier.leave();
            return Err(super::error::no_memory(format_args!("a vectored exception handler")));
        }
        core::mem::swap(&mut self.handle, &mut earlier.handle);
        core::mem::swap(&mut self.continues, &mut earlier.continues);
        earlier.leave();
        Ok(())
    }

    fn leave(&mut self) {
        let handle = core::mem::replace(&mut self.handle, core::ptr::null_mut());
        let continues = core::mem::replace(&mut self.continues, core::ptr::null_mut());
        if !handle.is_null() {
            // SAFETY: came from AddVectoredExceptionHandler.
            unsafe { RemoveVectoredExceptionHandler(handle) };
        }
        if !continues.is_null() {
            // SAFETY: came from AddVectoredContinueHandler.
            unsafe { RemoveVectoredContinueHandler(continues) };
        }
    }
}

/// Goes in front for all of these kinds.
pub(crate) fn install(kinds: u32, _room: &mut Room) -> Result<(), Failure> {
    let mut state = STATE.lock();
    if state.handle.is_null() && kinds != 0 {
        state.go_in_front()?;
    }
    state.kinds |= kinds;
    Ok(())
}

/// Goes back in front of all others, for these kinds as well.
pub(crate) fn rearm(kinds: u32, _room: &mut Room) -> Result<(), Failure> {
    exceptions::signals_go_on_top();
    let mut state = STATE.lock();
    if state.handle.is_null() && kinds == 0 || !state.handle.is_null() && list::place(state.handle) == Place::First {
        state.kinds |= kinds;
        return Ok(());
    }
    state.go_in_front()?;
    state.kinds |= kinds;
    Ok(())
}

/// The kinds that somebody else sees first.
pub(crate) fn displaced(kinds: u32) -> Result<u32, Failure> {
    let state = STATE.lock();
    let is_behind = !state.handle.is_null() && list::place(state.handle) == Place::Behind;
    Ok(if is_behind { kinds } else { 0 })
}

/// Takes ours away once there is no kind left that it is there for.
pub(crate) fn remove(kinds: u32) {
    let mut state = STATE.lock();
    state.kinds &= !kinds;
    if state.kinds == 0 {
        state.leave();
    }
}

/// A line about the handler.
pub(crate) fn describe(out: &mut impl Write, _kinds: u32) -> fmt::Result {
    let state = STATE.lock();
    write!(out, "vectored exception handler: ")?;
    if state.handle.is_null() {
        return writeln!(out, "none of ours");
    }
    match list::place(state.handle) {
        Place::First => writeln!(out, "ours, before all others; what is not a trap goes to them"),
        Place::Behind => {
            writeln!(out, "ours, but another one was added in front; wasmtrap_rearm puts ours in front again")
        }
        Place::Unknown => writeln!(
            out,
            "ours; this version of Windows does not show whether another one comes first, so that wasmtrap_check \
             cannot tell, but wasmtrap_rearm puts ours in front"
        ),
    }
}

pub(crate) fn collect() {
    stand_ins::collect();
}

pub(crate) fn lock_for_fork() {
    STATE.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread.
pub(crate) unsafe fn unlock_after_fork() {
    // SAFETY: the caller's promise.
    unsafe { STATE.release() };
}
