//! Exceptions and adopted engines: their signal handlers are called on the thread that faulted, in the trampoline, with
//! what the kernel would have given them had the exception become a signal.
//!
//! A stand-in that is called meanwhile only notes that the engine has declined (`signals::engines`): who comes next is
//! asked when its handler has returned, and the next level at last.

use libc::ucontext_t;

use super::state::Words;
use crate::arch;
use crate::inside::adopted::{self, Faults, Next};
use crate::inside::decide::Fault;
use crate::inside::lookup;
use crate::inside::machine::Report;
use crate::inside::signals::engines as by_signal;
use crate::inside::signals::forward::Handler;
use crate::inside::signals::frame::{self, Frame};
use crate::inside::signals::{Made, kernel};
use crate::shared::adopted::COUNT;
use crate::shared::disposition::{self, Disposition};
use crate::shared::thread::Thread;
use core::sync::atomic::Ordering;

/// What the ABI lets code use below its stack pointer, at the most.
const RED_ZONE: usize = 128;

/// The least that a handler is given on the stack of the code that faulted: what the kernel's frame takes there.
const LEAST_ROOM: usize = 4 * 1024;

/// When engines are to be asked about an exception.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Never,
    /// It is theirs.
    First,
    /// If the library does not take it.
    Last,
}

/// For an exception of a thread that waits in the kernel.
pub(super) fn are_asked(thread: &Thread, exception: i32, codes: [i64; 2], pc: usize) -> Asked {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return Asked::Never;
    }
    match faults(thread, exception, codes, pc) {
        Some((_, faults)) if faults.concern_owners() => Asked::First,
        Some((_, faults)) if faults.concern_engines() => Asked::Last,
        _ => Asked::Never,
    }
}

fn faults(thread: &Thread, exception: i32, codes: [i64; 2], pc: usize) -> Option<(Made, Faults)> {
    let made = frame::signal_of(exception, codes)?;
    let index = disposition::index_of(made.signal)?;
    Some((made, Faults::of(index, pc, Some(thread))))
}

/// Asks the engines, and `library` at its place among them, on the thread that faulted. False if nobody has taken it;
/// the state is as it was then.
pub(super) fn ask(
    thread: &Thread,
    fault: &Fault,
    report: &Report,
    words: &mut Words,
    vectors: *mut u8,
    mut library: impl FnMut(&mut Words) -> bool,
) -> bool {
    let found = match COUNT.load(Ordering::Relaxed) {
        0 => None,
        // On the thread itself, where signals may come.
        _ => lookup::undisturbed(|| faults(thread, report.exception, report.exception_codes, fault.pc)),
    };
    let Some((made, faults)) = found else { return library(words) };
    let mut asked = adopted::NOBODY;
    loop {
        let (next, now) = faults.next(asked);
        asked = now;
        let taken = match next {
            Next::Engine(engine) => offer(thread, engine, &made, fault.pc, report.exception, words, vectors),
            Next::Library => library(words),
            Next::Earlier => return false,
        };
        if taken {
            return true;
        }
    }
}

/// Offers it to a handler. False if that has declined.
#[inline(never)]
fn offer(
    thread: &Thread,
    engine: &Disposition,
    made: &Made,
    pc: usize,
    exception: i32,
    words: &mut Words,
    vectors: *mut u8,
) -> bool {
    let Ok(mask) = kernel::set_mask(u64::MAX) else { return false };
    let itself = 1 << (made.signal - 1);
    let top = if engine.flags & libc::SA_ONSTACK == 0 { top_of_interrupted_stack(thread, words) } else { Some(0) };
    // A handler's own fault, and that of code that blocks the signal, is for no handler: the kernel ends the process.
    let Some(top) = top.filter(|_| mask & itself == 0) else {
        let _: Result<u64, kernel::Refused> = kernel::set_mask(mask);
        return false;
    };
    // SAFETY: the trampoline's area, which lasts until it returns.
    let mut frame = unsafe { Frame::new(made, pc, exception, words, vectors, mask) };
    frame.settle();
    by_signal::note_port(&mut frame.info);
    let in_place = kernel::handler_of(made.signal);
    let unless_deferred = if engine.flags & libc::SA_NODEFER == 0 { itself } else { 0 };
    let call = Call {
        // SAFETY: a handler's address, as sigaction gave it; its object is kept in memory.
        handler: unsafe { core::mem::transmute::<usize, Handler>(engine.handler) },
        mask: mask | engine.mask | unless_deferred,
        signal: made.signal,
        info: &raw mut frame.info,
        context: &raw mut frame.context,
    };
    match top {
        0 => run(&call),
        // SAFETY: below `top` is the interrupted stack's free part.
        top => unsafe { call_on_stack(run, &call, top) },
    }
    let declined = by_signal::has_declined(&mut frame.info, made.signal, engine, in_place);
    let mut mask_after = mask;
    if !declined {
        // SAFETY: as above.
        mask_after = unsafe { frame.read_back(words, vectors) };
    }
    let _: Result<u64, kernel::Refused> = kernel::set_mask(mask_after);
    !declined
}

/// Where a handler that runs on the stack of the code that faulted begins; `None` if there is no room.
fn top_of_interrupted_stack(thread: &Thread, words: &mut Words) -> Option<usize> {
    use crate::inside::machine::Machine;
    let top = super::state::State::new(words, false).sp().wrapping_sub(RED_ZONE) & !15;
    let stack = thread.stack.get();
    (!stack.contains(top) || top - stack.low >= LEAST_ROOM).then_some(top)
}

/// A handler with its mask and its arguments.
struct Call {
    handler: Handler,
    mask: u64,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut ucontext_t,
}

/// Its mask is set on its own stack and nowhere else, so that another signal finds the thread there.
#[inline(never)]
extern "C" fn run(call: &Call) {
    kernel::with_mask(call.mask, || (call.handler)(call.signal, call.info, call.context));
}

/// Calls a function with its stack below `top`, and comes back.
///
/// # Safety
/// The memory below `top`, a multiple of 16, is a stack's free part.
#[unsafe(naked)]
unsafe extern "C" fn call_on_stack(function: extern "C" fn(&Call), call: &Call, top: usize) {
    arch::call_on_stack!()
}
