//! Stand-ins: what an engine that is to be adopted finds as the earlier disposition of each signal, and what becomes of
//! the handlers that it installs over them.
//!
//! Told and looked at by sigaction, which is the engine's way, too; where that is another's than libc's, what the
//! kernel has is put back besides.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering;

use super::known::{Known, Room};
use super::{current, our_entry, refused, with_state};
use crate::inside::signals::entry;
use crate::outside::error::{self, Failure, fail};
use crate::outside::platform;
use crate::shared::abi::*;
use crate::shared::adopted::{Adopted, PLACES, RELEASED};
use crate::shared::disposition::{self, Disposition, ENTRY_POINTS, OURS, SIGNALS};

/// What a signal did when the stand-in came.
#[derive(Clone, Copy)]
struct Before {
    told: Disposition,
    kernel: Disposition,
}

impl Before {
    fn now(signal: libc::c_int) -> Result<Self, Failure> {
        let told = platform::told_disposition(signal).map_err(|errno| refused(signal, errno))?;
        Ok(Self { told, kernel: current(signal)? })
    }
}

/// Of each stand-in, by the index of `SIGNALS`.
pub(super) struct StandIns {
    before: [[Option<Before>; SIGNALS.len()]; disposition::STAND_INS],
}

impl StandIns {
    pub(super) const fn new() -> Self {
        Self { before: [[None; SIGNALS.len()]; disposition::STAND_INS] }
    }

    fn before(&self, number: usize, index: usize) -> Option<Before> {
        *self.before.get(number)?.get(index)?
    }

    fn set_before(&mut self, number: usize, index: usize, before: Option<Before>) {
        if let Some(place) = self.before.get_mut(number).and_then(|signals| signals.get_mut(index)) {
            *place = before;
        }
    }
}

/// The handlers that an engine has installed, by the index of `SIGNALS`.
pub(crate) type Handlers = [Option<Disposition>; SIGNALS.len()];

/// The number of the stand-in that a handler is.
pub(super) fn number_of(handler: usize) -> Option<usize> {
    entry::STAND_INS.iter().position(|&stand_in| stand_in as usize == handler)
}

fn is_number(handler: usize, number: usize) -> bool {
    number_of(handler) == Some(number)
}

/// Puts a stand-in in place for every signal. Where one fails, those that were put are taken away.
pub(crate) fn put(number: usize, room: &mut Room) -> Result<(), Failure> {
    with_state(|known, stand_ins| {
        for (index, &signal) in SIGNALS.iter().enumerate() {
            if let Err(failure) = put_one(number, index, signal, known, stand_ins, room) {
                take_away_unused(number, stand_ins);
                return Err(failure);
            }
        }
        Ok(())
    })
}

fn put_one(
    number: usize,
    index: usize,
    signal: libc::c_int,
    known: &mut Known,
    stand_ins: &mut StandIns,
    room: &mut Room,
) -> Result<(), Failure> {
    let before = Before::now(signal)?;
    let below = remember_below(&before, known, room)?;
    let entry = ENTRY_POINTS + number;
    let Some(stand_in) = super::our_disposition(entry, below) else { return Ok(()) };
    disposition::set_below(entry, signal, below);
    stand_ins.set_before(number, index, Some(before));
    platform::tell_disposition(signal, &stand_in).map_err(|errno| refused(signal, errno))
}

/// What a stand-in forwards to that comes on top of this. Where sigaction says something else than the kernel has, what
/// it says.
fn remember_below(before: &Before, known: &mut Known, room: &mut Room) -> Result<&'static Disposition, Failure> {
    let Before { told, kernel } = *before;
    let below = if told.handler == kernel.handler { kernel } else { told };
    known.remember(below, room).ok_or_else(|| error::no_memory(format_args!("a signal disposition")))
}

/// What the engine has installed since.
pub(crate) fn installed(number: usize) -> Result<Handlers, Failure> {
    with_state(|_, stand_ins| {
        let mut handlers = [None; SIGNALS.len()];
        for ((index, &signal), handler) in SIGNALS.iter().enumerate().zip(&mut handlers) {
            let Some(before) = stand_ins.before(number, index) else { continue };
            let Before { told, kernel } = Before::now(signal)?;
            let is_new = |now: &Disposition, before: &Disposition| {
                now.handler != before.handler
                    && now.handler != libc::SIG_DFL
                    && now.handler != libc::SIG_IGN
                    && our_entry(now).is_none()
                    && number_of(now.handler).is_none()
            };
            if is_new(&told, &before.told) {
                *handler = Some(told);
            } else if is_new(&kernel, &before.kernel) {
                *handler = Some(kernel);
            }
        }
        Ok(handlers)
    })
}

/// Whether all of these can be adopted. With no lock held.
pub(crate) fn check(handlers: &Handlers) -> Result<(), Failure> {
    if handlers.iter().all(Option::is_none) {
        return Err(fail(
            WASMTRAP_ERR_NOT_FOUND,
            format_args!(
                "no handler of SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGTRAP was installed between wasmtrap_adopt_begin \
                 and wasmtrap_adopt_end: the engine has installed its handlers earlier, or will do so later"
            ),
        ));
    }
    for (handler, &signal) in handlers.iter().zip(&SIGNALS) {
        let Some(handler) = handler else { continue };
        let name = super::signal_name(signal);
        let address = handler.handler;
        // An object that is there no more has left its address behind: nothing can be read there.
        if platform::read_code(address, &mut [0; 1]) == 0 {
            return Err(fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!(
                    "the handler of {name} that was installed is {address:#x}, where nothing can be read: its object \
                     has been unloaded"
                ),
            ));
        }
        if handler.flags & libc::SA_RESETHAND != 0 {
            return Err(fail(
                WASMTRAP_ERR_UNSUPPORTED,
                format_args!(
                    "the handler of {name} that was installed, {address:#x}, has SA_RESETHAND: it wants to be called \
                     once, and cannot be adopted; it stays as it was installed"
                ),
            ));
        }
    }
    Ok(())
}

/// Where they are.
pub(crate) fn addresses(handlers: &Handlers) -> impl Iterator<Item = usize> {
    handlers.iter().flatten().map(|handler| handler.handler)
}

/// The kinds of fault that they are for.
pub(crate) fn kinds(handlers: &Handlers) -> u32 {
    let signals = handlers.iter().zip(&SIGNALS).filter(|(handler, _)| handler.is_some());
    signals.fold(0, |kinds, (_, &signal)| kinds | super::kind_of(signal))
}

/// What an engine has handlers for.
pub(crate) fn describe(out: &mut impl Write, engine: &Adopted) -> fmt::Result {
    let signals = (0..SIGNALS.len()).filter(|&index| engine.handler(index).is_some()).count();
    write!(out, "handlers of {signals} signals")
}

/// Has the library call these handlers of an engine's: `take` says so to those who look, and what was there before the
/// engine is put back. False, and nothing has changed, if they are not what is installed now.
pub(crate) fn take_over(
    number: usize,
    handlers: &Handlers,
    room: &mut Room,
    take: impl FnOnce(),
) -> Result<bool, Failure> {
    if installed(number)? != *handlers {
        return Ok(false);
    }
    with_state(|known, stand_ins| {
        let Some(place) = PLACES.get(number) else { return Ok(false) };
        for (slot, handler) in place.handlers.iter().zip(handlers) {
            let kept = match handler {
                Some(handler) => core::ptr::from_ref(
                    known
                        .remember(*handler, room)
                        .ok_or_else(|| error::no_memory(format_args!("a signal disposition")))?,
                ),
                None => core::ptr::null(),
            };
            slot.store(kept.cast_mut(), Ordering::Release);
        }
        // Before the engine's are taken out: each fault is seen by somebody.
        take();
        for (index, &signal) in SIGNALS.iter().enumerate() {
            // What cannot be put back stays as the engine has made it, with the stand-in below.
            let _: Result<(), i32> = put_back(number, index, signal, stand_ins);
        }
        Ok(true)
    })
}

/// Notes what ours is installed with, where it is in place.
pub(crate) fn note_ours(room: &mut Room) {
    with_state(|known, _| {
        for (place, &signal) in OURS.iter().zip(&SIGNALS) {
            if let Ok(now) = current(signal)
                && our_entry(&now).is_some()
                && let Some(now) = known.remember(now, room)
            {
                place.store(core::ptr::from_ref(now).cast_mut(), Ordering::Release);
            }
        }
    });
}

/// Puts back what a signal did before the stand-in came.
fn put_back(number: usize, index: usize, signal: libc::c_int, stand_ins: &StandIns) -> Result<(), i32> {
    let Some(Before { told, kernel }) = stand_ins.before(number, index) else { return Ok(()) };
    if platform::told_disposition(signal)?.handler != told.handler {
        platform::tell_disposition(signal, &told)?;
    }
    if platform::kernel_disposition(signal)? != kernel {
        platform::set_kernel_disposition(signal, &kernel)?;
    }
    Ok(())
}

/// Puts back what was there wherever the stand-in is still in place. Whether that was everywhere: then nobody
/// remembers it.
pub(crate) fn take_away(number: usize) -> bool {
    with_state(|_, stand_ins| take_away_unused(number, stand_ins))
}

fn take_away_unused(number: usize, stand_ins: &mut StandIns) -> bool {
    let mut all = true;
    for (index, &signal) in SIGNALS.iter().enumerate() {
        if stand_ins.before(number, index).is_none() {
            continue;
        }
        let in_place = platform::told_disposition(signal).is_ok_and(|told| is_number(told.handler, number))
            || platform::kernel_disposition(signal).is_ok_and(|now| is_number(now.handler, number));
        if in_place && put_back(number, index, signal, stand_ins).is_ok() {
            stand_ins.set_before(number, index, None);
        } else {
            all = false;
        }
    }
    all
}

/// Gives the engine its signals back, with its handlers on top of what is there now, as if it had just installed them:
/// the stand-in forwards to that. Elsewhere nobody has seen the stand-in.
pub(crate) fn give_back(number: usize, room: &mut Room) -> Result<(), Failure> {
    with_state(|known, stand_ins| {
        let Some(place) = PLACES.get(number) else { return Ok(()) };
        for (index, &signal) in SIGNALS.iter().enumerate() {
            match place.handler(index) {
                Some(handler) => give_back_one(number, index, signal, handler, known, stand_ins, room)?,
                None => stand_ins.set_before(number, index, None),
            }
        }
        Ok(())
    })
}

fn give_back_one(
    number: usize,
    index: usize,
    signal: libc::c_int,
    handler: &Disposition,
    known: &mut Known,
    stand_ins: &mut StandIns,
    room: &mut Room,
) -> Result<(), Failure> {
    let before = Before::now(signal)?;
    // Its own: it has put itself back meanwhile.
    if before.told.handler == handler.handler {
        return Ok(());
    }
    let below = remember_below(&before, known, room)?;
    disposition::set_below(ENTRY_POINTS + number, signal, below);
    stand_ins.set_before(number, index, Some(before));
    platform::tell_disposition(signal, handler).map_err(|errno| refused(signal, errno))
}

/// Takes the stand-ins of engines that were released away from signals that they have given up since, so that nobody
/// finds them there, and frees the places of those that have given up all.
pub(crate) fn collect() {
    for (number, place) in PLACES.iter().enumerate() {
        if place.state.load(Ordering::Relaxed) == RELEASED && take_away(number) {
            free(place);
        }
    }
}

/// Empties a place whose stand-in nobody remembers.
pub(crate) fn free(place: &Adopted) {
    for handler in &place.handlers {
        handler.store(core::ptr::null_mut(), Ordering::Relaxed);
    }
    place.state.store(crate::shared::adopted::FREE, Ordering::Release);
}
