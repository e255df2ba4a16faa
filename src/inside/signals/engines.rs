//! Signals of adopted engines: offering a fault to their handlers, as the kernel would have, and what they come to when
//! they call what they take for their earlier handler.
//!
//! A handler is called from here where it runs on the stack that this runs on, so that what it has left undone is seen
//! when it returns; where it wants the interrupted stack, Linux has it entered for good (`earlier_handler`). It may
//! jump out in either case: nothing of ours is left but the note, which goes with the kernel's frame.
//!
//! The note is the last word of the `siginfo_t`, in the part that no signal uses and the kernel leaves zero
//! (copy_siginfo_to_user, kernel/signal.c; sendsig, bsd/dev/*/unix_signal.c). A stand-in knows by it that the fault has
//! come through the library, and by which entry point: there it goes on.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::context::Context;
use super::entry;
use super::forward::{self, Entrance, Handler};
use super::{classify, earlier_handler, kernel};
use crate::inside::adopted::{self, Asked, Faults, Next};
use crate::inside::backend;
use crate::inside::lookup;
use crate::shared::adopted::{Adopted, PLACES};
use crate::shared::disposition::{self, Disposition, ENTRY_POINTS, OURS};
use crate::shared::readers::READERS;

/// The note: this, the number of the entry point, and whether a stand-in has been called since.
const NOTE: u64 = 0x7761_736d_7472_0000;
const NOTES_ENTRY: u64 = 0xff;
const DECLINED: u64 = 1 << 8;
/// It was no signal: there is nobody to go on to from here.
#[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "for backends that have exceptions"))]
const BY_PORT: u64 = 1 << 9;

fn note_place(info: &mut siginfo_t) -> *mut u64 {
    const PLACE: usize = size_of::<siginfo_t>() - size_of::<u64>();
    core::ptr::from_mut(info).wrapping_byte_add(PLACE).cast()
}

fn read_note(info: &mut siginfo_t) -> u64 {
    // SAFETY: within the structure.
    unsafe { note_place(info).read_unaligned() }
}

fn write_note(info: &mut siginfo_t, note: u64) {
    // SAFETY: as above.
    unsafe { note_place(info).write_unaligned(note) }
}

/// A signal that has come to an entry point of the library's, while engines are adopted.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(never)]
pub(super) unsafe fn come_in(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t, entrance: Entrance) {
    let faults = if earlier_handler::kernel_called(info, context, entrance) {
        faults(signal, info, context)
    } else {
        faults_undisturbed(signal, info, context)
    };
    let faults = faults.filter(|_| !declined_by_port(signal, info, context));
    // SAFETY: the caller's promise.
    unsafe {
        match faults {
            Some(faults) => go_on(faults, adopted::NOBODY, None, signal, info, context, entrance),
            None if entry::judged(signal, info, context, entrance) => (),
            None => forward::forward(signal, info, context, entrance),
        }
    }
}

/// A signal that has come to the stand-in of this number: called by an engine that declines, or by the kernel where the
/// engine is not in front, or not any more.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(never)]
pub(super) unsafe fn stand_in(
    number: usize,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) {
    let note = read_note(info);
    if note & !DECLINED == NOTE | BY_PORT {
        return write_note(info, note | DECLINED);
    }
    let engine = PLACES.get(number).filter(|engine| engine.is_adopted());
    let (Some(engine), Some(faults)) = (engine, faults_undisturbed(signal, info, context)) else {
        // SAFETY: the caller's promise.
        return unsafe { forward::forward(signal, info, context, entrance) };
    };
    let by_way_of_us = note & !(NOTES_ENTRY | DECLINED) == NOTE;
    let (asked, except, entry) = if by_way_of_us {
        write_note(info, note | DECLINED);
        (faults.asked_up_to(engine), None, (note & NOTES_ENTRY) as usize)
    } else {
        // The engine has put its earlier handler in place, as some decline, or has copied what we gave it.
        let _: bool = took_our_handler_away(signal, Some(number));
        (adopted::NOBODY, Some(engine), entry_in_place(signal).unwrap_or(entrance.entry))
    };
    // SAFETY: as above.
    unsafe { ask_the_rest(faults, asked, except, signal, info, context, Entrance { entry, ..entrance }) };
    if by_way_of_us {
        write_note(info, note | DECLINED);
    }
}

/// [`go_on`], apart from the stand-ins.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(never)] // a function of its own, in which the check of the built library expects the call
unsafe fn ask_the_rest(
    faults: Faults,
    asked: Asked,
    except: Option<&Adopted>,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) {
    // SAFETY: the caller's promise.
    unsafe { go_on(faults, asked, except, signal, info, context, entrance) };
}

/// Whether the engines have been asked already, when this was an exception. The library has, too, and is about to say
/// so itself.
fn declined_by_port(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) -> bool {
    let pc = Context::new(context, signal, info.si_code).pc();
    backend::was_declined(pc)
}

/// For a handler that is called because of an exception.
#[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "for backends that have exceptions"))]
pub(crate) fn note_port(info: &mut siginfo_t) {
    write_note(info, NOTE | BY_PORT);
}

/// Whether such a handler, which has returned, has declined. `in_place` is what was there when it was called: it may
/// have been displaced before.
#[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "for backends that have exceptions"))]
pub(crate) fn has_declined(
    info: &mut siginfo_t,
    signal: libc::c_int,
    handler: &Disposition,
    in_place: Option<usize>,
) -> bool {
    read_note(info) & DECLINED != 0
        || kernel::handler_of(signal) != in_place && took_our_handler_away(signal, number_of(handler, signal))
}

/// The number of the stand-in that an engine has found, by its handler.
fn number_of(handler: &Disposition, signal: libc::c_int) -> Option<usize> {
    let index = disposition::index_of(signal)?;
    let is_its = |engine: &Adopted| engine.handler(index).is_some_and(|one| core::ptr::eq(one, handler));
    PLACES.iter().position(|engine| engine.is_adopted() && is_its(engine))
}

/// Our entry point that was in place at the last adoption.
fn entry_in_place(signal: libc::c_int) -> Option<usize> {
    let ours = ours(signal)?;
    entry::ALL.iter().position(|&entry| entry as usize == ours.handler)
}

fn ours(signal: libc::c_int) -> Option<&'static Disposition> {
    let place = OURS.get(disposition::index_of(signal)?)?;
    // SAFETY: null or a disposition that is never freed.
    unsafe { place.load(Ordering::Acquire).as_ref() }
}

/// The faults that this signal is one of; `None` if it is no fault: what a process sends is offered to no engine.
fn faults(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) -> Option<Faults> {
    let index = disposition::index_of(signal)?;
    let context = Context::new(context, signal, info.si_code);
    let from_kernel = classify::is_from_kernel(signal, info.si_code, || context.origin());
    from_kernel.then(|| Faults::of_this_thread(index, context.pc()))
}

/// The same in a handler of somebody else's, or called by one, whose mask may let other signals in.
fn faults_undisturbed(signal: libc::c_int, info: &siginfo_t, context: &mut ucontext_t) -> Option<Faults> {
    lookup::undisturbed(|| faults(signal, info, context))
}

/// Asks one after the other, from `asked` on, until somebody has taken it.
///
/// An engine may unwind in its handler, as Wasmer does for its backtraces, and each frame of ours takes the unwinder as
/// long as a system call or longer: there is one.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(always)]
unsafe fn go_on(
    faults: Faults,
    mut asked: Asked,
    except: Option<&Adopted>,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) {
    loop {
        let (next, now) = faults.next(asked);
        asked = now;
        match next {
            Next::Engine(_) if except.is_some_and(|engine| faults.asked_up_to(engine) == now) => (),
            // SAFETY: the caller's promise.
            Next::Engine(handler) => unsafe {
                if offer(handler, signal, info, context, entrance) {
                    return;
                }
            },
            Next::Library if entry::judged(signal, info, context, entrance) => return,
            Next::Library => (),
            // SAFETY: as above.
            Next::Earlier => return unsafe { forward::forward(signal, info, context, entrance) },
        }
    }
}

/// Offers a fault to an engine's handler. False if it has declined, and nobody has been asked since.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(always)] // see `go_on`
unsafe fn offer(
    engine: &Disposition,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) -> bool {
    let mut mask = kernel::mask_of(&context.uc_sigmask) | engine.mask;
    if engine.flags & libc::SA_NODEFER == 0 {
        mask |= 1 << (signal - 1);
    }
    // SAFETY: a handler's address, as sigaction gave it; its object is kept in memory.
    let handler = unsafe { core::mem::transmute::<usize, Handler>(engine.handler) };
    let on_alternate_stack = engine.flags & libc::SA_ONSTACK != 0;
    let pc = |context: &mut ucontext_t| Context::new(context, 0, 0).pc();
    let (pc_before, note_before) = (pc(context), read_note(info));
    write_note(info, NOTE | entrance.entry as u64);
    if earlier_handler::runs_elsewhere(on_alternate_stack, context) {
        // SAFETY: the caller's promise.
        let called =
            unsafe { earlier_handler::call(handler, mask, on_alternate_stack, signal, info, context, entrance) };
        if called.is_err() {
            write_note(info, note_before);
            return false;
        }
    } else {
        let mask_before = kernel::set_mask(mask);
        handler(signal, info, context);
        // A changed program counter is where the kernel resumes, with the context's own mask.
        if pc(context) == pc_before
            && let Ok(mask_before) = mask_before
        {
            let _: Result<u64, kernel::Refused> = kernel::set_mask(mask_before);
        }
    }
    let note = read_note(info);
    write_note(info, note_before);
    pc(context) != pc_before || note & DECLINED != 0 || !took_our_handler_away(signal, number_of(engine, signal))
}

/// Whether the handler of the engine with this number has put what it takes for the earlier disposition, its stand-in,
/// in our place, or the default one: that is how some decline. Ours goes back there.
///
/// Not when the engine has been released meanwhile: what is in place then is for its host to say. A release waits for
/// the section. And what others put in place between the look and the change goes back.
fn took_our_handler_away(signal: libc::c_int, number: Option<usize>) -> bool {
    lookup::undisturbed(|| put_ours_back(signal, number)).is_some()
}

/// With every signal blocked.
#[inline(never)] // system calls stay where the check of the built library expects them
fn put_ours_back(signal: libc::c_int, number: Option<usize>) -> Option<()> {
    let _section = READERS.enter();
    let number = number.filter(|&number| PLACES.get(number).is_some_and(Adopted::is_adopted))?;
    let ours = ours(signal)?;
    let stand_in = entry::STAND_INS.get(number).map(|&stand_in| stand_in as usize);
    let by_it = |now| now == libc::SIG_DFL || now == libc::SIG_IGN || Some(now) == stand_in;
    if !by_it(kernel::handler_of(signal)?) {
        return None;
    }
    // Refused, the fault ends the process all the same: by the default action, or by what the stand-in forwards to.
    let before = kernel::put_in_place(signal, ours).ok()?;
    if !by_it(before.handler) {
        let _: Result<_, kernel::Refused> = kernel::put_in_place(signal, &before);
        return None;
    }
    Some(())
}

/// The number of the stand-in that an entry point is.
pub(super) fn stand_in_of(entry: usize) -> Option<usize> {
    entry.checked_sub(ENTRY_POINTS)
}
