//! The signal backend's part in ordinary context: going on top of the handlers that are there, noticing when others go
//! on top of ours, and leaving.
//!
//! Somebody may sit between us and the kernel: sigaction is another's (libjsig, a sanitizer, whatever is preloaded).
//! Such a one may keep what it is given to itself, and have its own handler in the kernel, which calls ours or does
//! not. So what a signal does is asked of the kernel. It is changed by sigaction, so that whoever sits there knows of
//! it, and looked at: where it has not reached the kernel it is taken back, and given to the kernel itself. Then what
//! is there lies below ours like any other handler.

mod copies;
mod describe;
mod known;
mod layers;
pub(crate) mod stand_ins;

use super::error::{self, Failure, fail};
use super::lock::Locked;
use super::{exceptions, platform};
use crate::inside::signals::entry;
use crate::shared::abi::*;
use crate::shared::disposition::{self, Disposition, ENTRY_POINTS, SIGNALS};
use copies::Copy;
pub(crate) use describe::{describe, signal_name, write_handler};
use known::Known;
pub(crate) use known::Room;
use layers::{Layers, Who};
use stand_ins::StandIns;

/// What the backend is called.
pub(crate) const NAME: &str = "signals";

struct State {
    layers: [Layers; SIGNALS.len()],
    known: Known,
    stand_ins: StandIns,
}

static STATE: Locked<State> = Locked::new(State {
    layers: [const { Layers::new() }; SIGNALS.len()],
    known: Known::new(),
    stand_ins: StandIns::new(),
});

/// For what is in a file of its own.
fn with_state<R>(f: impl FnOnce(&mut Known, &mut StandIns) -> R) -> R {
    let mut state = STATE.lock();
    let State { known, stand_ins, .. } = &mut *state;
    f(known, stand_ins)
}

/// The signals of these kinds of fault (WASMTRAP_FAULT_*), each with its index and its kind.
pub(crate) fn signals_of(kinds: u32) -> impl Iterator<Item = (usize, libc::c_int, u32)> {
    SIGNALS
        .iter()
        .copied()
        .enumerate()
        .map(|(index, signal)| (index, signal, kind_of(signal)))
        .filter(move |&(_, _, kind)| kind & kinds != 0)
}

pub(crate) fn kind_of(signal: libc::c_int) -> u32 {
    match signal {
        libc::SIGSEGV | libc::SIGBUS => WASMTRAP_FAULT_MEMORY,
        libc::SIGILL => WASMTRAP_FAULT_ILLEGAL,
        libc::SIGFPE => WASMTRAP_FAULT_ARITHMETIC,
        _ => WASMTRAP_FAULT_BREAKPOINT,
    }
}

/// What a signal does now, as the kernel has it.
fn current(signal: libc::c_int) -> Result<Disposition, Failure> {
    platform::kernel_disposition(signal).map_err(|errno| refused(signal, errno))
}

fn refused(signal: libc::c_int, errno: i32) -> Failure {
    error::system_under_lock(format_args!("sigaction of signal {signal}"), errno)
}

/// Which of our entry points this is, if it is one.
fn our_entry(disposition: &Disposition) -> Option<usize> {
    entry::ALL.iter().position(|&ours| ours as usize == disposition.handler)
}

fn our_entry_or_stand_in(disposition: &Disposition) -> Option<usize> {
    our_entry(disposition).or_else(|| stand_ins::number_of(disposition.handler).map(|number| ENTRY_POINTS + number))
}

/// What to install for an entry point that goes on top of `below`.
///
/// All signals are blocked while it runs, because it runs on the alternate stack: a signal that came in between would
/// find the thread there, and a garbage collector that stops threads by signals would take that for the thread's stack
/// and free what the real one holds. Signals that are sent faster than they are delivered would also pile up frames
/// until the alternate stack is full: the kernel delivers what has arrived meanwhile before a handler's first
/// instruction (exit_to_user_mode_loop, kernel/entry/common.c). What waits arrives as soon as the thread is back on its
/// own stack, or in an earlier handler with the mask that this one asked for (`inside::signals::forward`).
///
/// Not sigfillset's: that leaves out the signals that libc keeps to itself; but pthread_cancel's, which may end a
/// thread wherever it is, must not come while it is in a handler.
///
/// SA_RESTART follows the disposition below: whether a signal that a process sends interrupts a system call is decided
/// by the flags of the handler that is installed, which is ours, for a handler that may rely on it.
fn our_disposition(entry: usize, below: &Disposition) -> Option<Disposition> {
    let function = *entry::ALL.iter().chain(&entry::STAND_INS).nth(entry)?;
    let restart = match below.handler {
        libc::SIG_DFL | libc::SIG_IGN => libc::SA_RESTART,
        _ => below.flags & libc::SA_RESTART,
    };
    Some(Disposition {
        handler: function as usize,
        flags: libc::SA_SIGINFO | libc::SA_ONSTACK | restart,
        mask: platform::EVERY_SIGNAL,
        restorer: 0,
    })
}

/// Puts our handler on top of what a signal does now; does nothing where it is.
fn go_on_top(signal: libc::c_int, layers: &mut Layers, known: &mut Known, room: &mut Room) -> Result<(), Failure> {
    let now = current(signal)?;
    if let Some(entry) = our_entry(&now) {
        layers.found_in_place(entry);
        return Ok(());
    }
    if stand_ins::number_of(now.handler).is_some() {
        // It forwards to ours, or an engine is about to go over it. Those that are no longer needed are collected.
        return Ok(());
    }
    let copy = Copy::of(now.handler);
    if copy.is_some()
        && let Some(entry) = layers.way_back(now.handler, |handler| who(signal, handler), |entry| below(entry, signal))
        && let Some(ours) = our_disposition(entry, disposition::below(entry, signal))
    {
        if !by_sigaction(signal, &now, &ours)? {
            by_the_kernel(signal, &ours)?;
        }
        layers.found_in_place(entry);
        return Ok(());
    }
    let mut over = |now: &Disposition, install: &dyn Fn(&Disposition) -> Result<bool, Failure>| {
        go_over(signal, now, copy.is_none(), layers, known, room, install)
    };
    if over(&now, &|ours| by_sigaction(signal, &now, ours))? {
        return Ok(());
    }
    over(&current(signal)?, &|ours| by_the_kernel(signal, ours).map(|()| true)).map(|_| ())
}

fn who(signal: libc::c_int, handler: usize) -> Who {
    if let Some(entry) = entry::ALL.iter().position(|&ours| ours as usize == handler) {
        return Who::Ours(entry);
    }
    match Copy::of(handler).filter(|_| stand_ins::number_of(handler).is_none()) {
        Some(copy) => Who::Copy(copy.number(), copy.forwards_to(handler, signal)),
        None => Who::Stranger,
    }
}

fn below(entry: usize, signal: libc::c_int) -> usize {
    disposition::below(entry, signal).handler
}

/// Has sigaction install ours, unless somebody keeps to himself what it is given: he is given back then what he had,
/// and the answer is no.
fn by_sigaction(signal: libc::c_int, now: &Disposition, ours: &Disposition) -> Result<bool, Failure> {
    let install = || {
        let told = platform::told_disposition(signal)?;
        if told.handler != now.handler {
            return Ok(false);
        }
        platform::tell_disposition(signal, ours)?;
        if platform::kernel_disposition(signal)?.does_the_same(ours) {
            return Ok(true);
        }
        platform::tell_disposition(signal, &told).map(|()| false)
    };
    install().map_err(|errno| refused(signal, errno))
}

fn by_the_kernel(signal: libc::c_int, ours: &Disposition) -> Result<(), Failure> {
    platform::set_kernel_disposition(signal, ours).map_err(|errno| refused(signal, errno))
}

/// Goes on top of `now` with something new, by `install`, which tells whether it has done it.
fn go_over(
    signal: libc::c_int,
    now: &Disposition,
    again: bool,
    layers: &mut Layers,
    known: &mut Known,
    room: &mut Room,
    install: &dyn Fn(&Disposition) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let below = known.remember(*now, room).ok_or_else(|| error::no_memory(format_args!("a signal disposition")))?;
    let full = |_| {
        let depth = layers.depth();
        fail(
            WASMTRAP_ERR_LIMIT,
            format_args!("signal {signal} has {depth} handlers one on top of the other, and none of them left"),
        )
    };
    let step = layers.go_over(below, again).map_err(full)?;
    let Some(ours) = our_disposition(step.above, below) else { return Ok(false) };
    // First, because a fault may come as soon as the handler is in place; and then nothing may go in circles.
    disposition::set_below(step.above, signal, below);
    let before = step.redirected.map(|(entry, _)| (entry, disposition::below(entry, signal)));
    if let Some((entry, below)) = step.redirected {
        disposition::set_below(entry, signal, below);
    }
    let done = install(&ours);
    if matches!(done, Ok(true)) {
        *layers = step.layers;
    } else if let Some((entry, below)) = before {
        disposition::set_below(entry, signal, below);
    }
    done
}

/// Goes on top for all of these kinds. Where one fails, those that were done are undone.
pub(crate) fn install(kinds: u32, room: &mut Room) -> Result<(), Failure> {
    stand_ins::collect();
    let mut state = STATE.lock();
    let State { layers: all, known, .. } = &mut *state;
    let mut done = 0;
    for (index, signal, kind) in signals_of(kinds) {
        if let Some(layers) = all.get_mut(index)
            && let Err(failure) = go_on_top(signal, layers, known, room)
        {
            remove_from(all, done);
            return Err(failure);
        }
        done |= kind;
    }
    Ok(())
}

/// Goes back on top wherever something else is.
pub(crate) fn rearm(kinds: u32, room: &mut Room) -> Result<(), Failure> {
    exceptions::signals_go_on_top();
    let mut state = STATE.lock();
    let State { layers: all, known, .. } = &mut *state;
    for (index, signal, _) in signals_of(kinds) {
        if let Some(layers) = all.get_mut(index) {
            go_on_top(signal, layers, known, room)?;
        }
    }
    Ok(())
}

/// Whether this is ours, or a stand-in that forwards to ours: an engine that was released has put it back.
fn leads_to_ours(signal: libc::c_int, handler: usize) -> bool {
    let mut handler = handler;
    for _ in 0..=disposition::STAND_INS {
        match (stand_ins::number_of(handler), entry::ALL.iter().any(|&ours| ours as usize == handler)) {
            (Some(number), _) => handler = below(ENTRY_POINTS + number, signal),
            (None, ours) => return ours,
        }
    }
    false
}

/// The kinds that something else is on top of.
pub(crate) fn displaced(kinds: u32) -> Result<u32, Failure> {
    let mut found = 0;
    for (_, signal, kind) in signals_of(kinds) {
        if !leads_to_ours(signal, current(signal)?.handler) {
            found |= kind;
        }
    }
    Ok(found)
}

/// Puts back what was there, wherever ours is on top. Elsewhere ours stays below and goes on forwarding.
pub(crate) fn remove(kinds: u32) {
    remove_from(&mut STATE.lock().layers, kinds);
}

fn remove_from(all: &mut [Layers; SIGNALS.len()], kinds: u32) {
    for (index, signal, _) in signals_of(kinds) {
        let Some(layers) = all.get_mut(index) else { continue };
        let Ok(now) = current(signal) else { continue };
        if let Some(entry) = our_entry(&now) {
            // SA_RESETHAND may have reset it since, so it is asked of the table that handlers use.
            let below = disposition::below(entry, signal);
            if put_back(signal, &now, below).is_ok() {
                layers.taken_away(entry);
            }
        }
        let _: Result<(), i32> = have_forgotten(signal);
    }
}

/// Puts back what lay below ours: by sigaction if that knows of ours, and to the very restorer.
fn put_back(signal: libc::c_int, ours: &Disposition, below: &Disposition) -> Result<(), i32> {
    if platform::told_disposition(signal)?.handler == ours.handler {
        platform::tell_disposition(signal, below)?;
    }
    if platform::kernel_disposition(signal)? != *below {
        platform::set_kernel_disposition(signal, below)?;
    }
    Ok(())
}

/// Has whoever keeps ours to himself, to call it from a handler of his own, forget it: what lay below takes its place
/// there.
fn have_forgotten(signal: libc::c_int) -> Result<(), i32> {
    let (now, told) = (platform::kernel_disposition(signal)?, platform::told_disposition(signal)?);
    if let Some(entry) = our_entry(&told)
        && told.handler != now.handler
    {
        platform::tell_disposition(signal, disposition::below(entry, signal))?;
        // That was for him alone.
        if platform::kernel_disposition(signal)? != now {
            platform::set_kernel_disposition(signal, &now)?;
        }
    }
    Ok(())
}

/// What there is to say of a signal.
struct Seen {
    /// What the kernel does.
    now: Disposition,
    /// What lies below ours, if that is ours.
    below: Option<&'static Disposition>,
    /// What sigaction says instead, if it says something else.
    told: Option<Disposition>,
}

/// For the description: each signal of these kinds.
fn describe_each(kinds: u32, mut each: impl FnMut(libc::c_int, Option<Seen>)) {
    for (_, signal, _) in signals_of(kinds) {
        let seen = platform::kernel_disposition(signal).ok().map(|now| Seen {
            below: our_entry_or_stand_in(&now).map(|entry| disposition::below(entry, signal)),
            told: platform::told_disposition(signal).ok().filter(|told| told.handler != now.handler),
            now,
        });
        each(signal, seen);
    }
}

/// Takes away the stand-ins that nobody remembers any more.
pub(crate) fn collect() {
    stand_ins::collect();
}

pub(crate) fn lock_for_fork() {
    STATE.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread or on the one that it is the image of.
pub(crate) unsafe fn unlock_after_fork() {
    // SAFETY: the caller's promise.
    unsafe { STATE.release() };
}
