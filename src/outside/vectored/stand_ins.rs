//! What an engine that is adopted has installed: the vectored handlers that are new in the list. The same items as
//! `signals::stand_ins` has, but that nobody stands in for anything: a vectored handler declines by what it returns.
//!
//! The engine's handlers stay in the list, because what AddVectoredExceptionHandler has given it for them must stay
//! good for RemoveVectoredExceptionHandler. Ours is in front of them and calls them itself.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering;

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY,
};

use super::Room;
use super::list::{self, Entry};
use crate::inside::signals::entry;
use crate::outside::error::{Failure, fail};
use crate::outside::lock::Locked;
use crate::outside::platform;
use crate::shared::abi::*;
use crate::shared::adopted::{Adopted, FREE, PLACES, RELEASED};
use crate::shared::disposition::{DISPOSITIONS, HANDLERS};

/// The most handlers that a process has before an engine comes. There are seldom more than three.
const MOST_BEFORE: usize = 128;

struct State {
    /// What was in the list when the adoption at hand began.
    before: [Option<Entry>; MOST_BEFORE],
    /// The entries of each place's engine.
    adopted: [Handlers; WASMTRAP_MAX_ADOPTED],
}

static STATE: Locked<State> =
    Locked::new(State { before: [None; MOST_BEFORE], adopted: [Handlers::NONE; WASMTRAP_MAX_ADOPTED] });

/// The handlers that an engine has installed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handlers {
    entries: [Option<Entry>; HANDLERS],
    /// There may be more than that.
    count: usize,
}

impl Handlers {
    const NONE: Self = Self { entries: [None; HANDLERS], count: 0 };

    fn addresses(&self) -> [usize; HANDLERS] {
        self.entries.map(|entry| entry.map_or(0, |entry| entry.handler))
    }
}

/// Notes what is in the list.
pub(crate) fn put(_number: usize, _room: &mut Room) -> Result<(), Failure> {
    let mut state = STATE.lock();
    state.before = [None; MOST_BEFORE];
    let mut count = 0;
    list::look_through(|entry| {
        if let Some(slot) = state.before.get_mut(count) {
            *slot = Some(entry);
        }
        count += 1;
        true
    })?;
    if count > MOST_BEFORE {
        return Err(fail(
            WASMTRAP_ERR_LIMIT,
            format_args!("{count} vectored exception handlers are there already, more than {MOST_BEFORE}"),
        ));
    }
    Ok(())
}

/// What the engine has installed since.
pub(crate) fn installed(_number: usize) -> Result<Handlers, Failure> {
    let state = STATE.lock();
    let ours: unsafe extern "system" fn(_) -> i32 = entry::vectored;
    let mut handlers = Handlers::NONE;
    list::look_through(|entry| {
        if entry.handler != ours as usize && !state.before.contains(&Some(entry)) {
            if let Some(slot) = handlers.entries.get_mut(handlers.count) {
                *slot = Some(entry);
            }
            handlers.count += 1;
        }
        true
    })?;
    Ok(handlers)
}

/// Whether all of these can be adopted. With no lock held.
pub(crate) fn check(handlers: &Handlers) -> Result<(), Failure> {
    if handlers.count == 0 {
        return Err(fail(
            WASMTRAP_ERR_NOT_FOUND,
            format_args!(
                "no vectored exception handler was installed between wasmtrap_adopt_begin and wasmtrap_adopt_end: the \
                 engine has installed its handlers earlier, or will do so later"
            ),
        ));
    }
    if handlers.count > HANDLERS {
        let count = handlers.count;
        return Err(fail(
            WASMTRAP_ERR_LIMIT,
            format_args!("{count} vectored exception handlers were installed, more than the {HANDLERS} of one engine"),
        ));
    }
    match addresses(handlers).find(|&handler| !is_code(handler)) {
        Some(handler) => Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!(
                "the vectored exception handler that was installed is {handler:#x}, where there is no code: its module \
                 has been unloaded"
            ),
        )),
        None => Ok(()),
    }
}

fn is_code(address: usize) -> bool {
    const RUNS: u32 = PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
    platform::query(address).is_some_and(|found| found.State == MEM_COMMIT && found.Protect & RUNS != 0)
}

/// Where they are.
pub(crate) fn addresses(handlers: &Handlers) -> impl Iterator<Item = usize> {
    handlers.entries.iter().flatten().map(|entry| entry.handler)
}

/// The kinds of fault that they are for: a vectored handler is called for all.
pub(crate) fn kinds(_handlers: &Handlers) -> u32 {
    WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC | WASMTRAP_FAULT_BREAKPOINT
}

/// What an engine has.
pub(crate) fn describe(out: &mut impl Write, engine: &Adopted) -> fmt::Result {
    let count = engine.handler(0).map_or(0, |found| found.handlers().iter().filter(|&&handler| handler != 0).count());
    write!(out, "vectored exception handlers: {count}")
}

/// Has the library call these handlers of an engine's: `take` says so to those who look. False, and nothing has
/// changed, if they are not what is installed now.
pub(crate) fn take_over(
    number: usize,
    handlers: &Handlers,
    _room: &mut Room,
    take: impl FnOnce(),
) -> Result<bool, Failure> {
    if installed(number)? != *handlers {
        return Ok(false);
    }
    let mut state = STATE.lock();
    let (Some(place), Some(disposition), Some(entries)) =
        (PLACES.get(number), DISPOSITIONS.get(number), state.adopted.get_mut(number))
    else {
        return Ok(false);
    };
    *entries = *handlers;
    disposition.set(handlers.addresses());
    for slot in &place.handlers {
        slot.store(core::ptr::from_ref(disposition).cast_mut(), Ordering::Release);
    }
    take();
    Ok(true)
}

/// Ours needs no noting.
pub(crate) fn note_ours(_room: &mut Room) {}

/// Nothing was put anywhere.
pub(crate) fn take_away(_number: usize) -> bool {
    true
}

/// The engine has its handlers in the list all the time.
pub(crate) fn give_back(_number: usize, _room: &mut Room) -> Result<(), Failure> {
    Ok(())
}

/// Frees the places of engines that were released. An engine that has taken a handler away without that is not called
/// there any more.
pub(crate) fn collect() {
    for place in PLACES.iter().filter(|place| place.state.load(Ordering::Relaxed) == RELEASED) {
        free(place);
    }
    let adopted = || PLACES.iter().enumerate().filter(|(_, place)| place.is_adopted());
    if adopted().next().is_none() {
        return;
    }
    let mut state = STATE.lock();
    let mut is_there = [[false; HANDLERS]; WASMTRAP_MAX_ADOPTED];
    let looked = list::look_through(|entry| {
        for (handlers, is_there) in state.adopted.iter().zip(&mut is_there) {
            for (handler, is_there) in handlers.entries.iter().zip(is_there) {
                *is_there |= *handler == Some(entry);
            }
        }
        true
    });
    // Where nothing can be seen, nothing is known to have gone.
    if looked.is_err() {
        return;
    }
    for (number, _) in adopted() {
        let (Some(handlers), Some(is_there), Some(disposition)) =
            (state.adopted.get_mut(number), is_there.get(number), DISPOSITIONS.get(number))
        else {
            continue;
        };
        for (handler, is_there) in handlers.entries.iter_mut().zip(is_there) {
            if !is_there {
                *handler = None;
            }
        }
        disposition.set(handlers.addresses());
    }
}

/// Empties a place.
pub(crate) fn free(place: &Adopted) {
    for slot in &place.handlers {
        slot.store(core::ptr::null_mut(), Ordering::Relaxed);
    }
    place.state.store(FREE, Ordering::Release);
}
