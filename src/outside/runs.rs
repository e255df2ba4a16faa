//! Runs: opening and closing them, calling them, interrupting them.
//!
//! Under the lock of the threads' list, with which threads come and go: as long as it is held, the thread that a run is
//! on is there, and can be sent a signal.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::allocation;
use super::call::{self, Landing, TrapAt};
use super::error::{self, Failure, fail};
use super::threads::{self, list};
use super::{interrupt_signal, library};
use crate::inside::land;
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::runs::{self, DETACHED, FRESH, ON_THREAD, OVER, Run, Taken};
use crate::shared::thread::{ATTENTION_INTERRUPT, Thread};

/// One more than the index of the first place that is free, 0 if there is none. With the lock.
static FREE: AtomicU32 = AtomicU32::new(0);

/// How many pieces the table has. With the lock.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// What `wasmtrap_run_call` was given, in its frame. Read in assembly.
#[repr(C)]
pub(crate) struct Arguments {
    run: wasmtrap_run_t,
    pub(crate) function: wasmtrap_function_t,
    pub(crate) argument: *mut core::ffi::c_void,
    pub(crate) trap: *mut wasmtrap_trap_t,
    /// Of the run.
    pub(crate) word: *const core::sync::atomic::AtomicU64,
}

fn unknown(run: wasmtrap_run_t) -> Failure {
    fail(WASMTRAP_ERR_UNKNOWN_ID, format_args!("run {run:#x} is not, or no longer, open"))
}

fn over(run: wasmtrap_run_t) -> Failure {
    fail(WASMTRAP_ERR_NOT_FOUND, format_args!("run {run:#x} is over: its protected call, or the thread, has ended"))
}

pub(crate) fn open() -> Result<wasmtrap_run_t, Failure> {
    library::require_ready()?;
    loop {
        let (free, made) = list::locked(|_| (take_free(), MADE.load(Ordering::Relaxed)));
        if let Some(number) = free {
            return Ok(number);
        }
        add_piece(made)?;
    }
}

fn take_free() -> Option<wasmtrap_run_t> {
    let index = FREE.load(Ordering::Relaxed).checked_sub(1)? as usize;
    let run = runs::place(index)?;
    FREE.store(run.next_free.load(Ordering::Relaxed), Ordering::Relaxed);
    run.life.store(FRESH, Ordering::Relaxed);
    Some(run.number(index))
}

fn put_free(index: usize, run: &Run) {
    run.next_free.store(FREE.swap(index as u32 + 1, Ordering::Relaxed), Ordering::Relaxed);
}

/// Makes the table longer, unless somebody else has done so meanwhile.
fn add_piece(piece: usize) -> Result<(), Failure> {
    /// A place, as memory.
    type Words = [u64; size_of::<Run>() / size_of::<u64>()];
    const { assert!(size_of::<Words>() == size_of::<Run>() && align_of::<Words>() >= align_of::<Run>()) };
    if piece == runs::PIECES {
        let most = runs::start_of_piece(piece);
        return Err(fail(WASMTRAP_ERR_LIMIT, format_args!("{most} runs are open already")));
    }
    let size = runs::size_of_piece(piece);
    let memory =
        allocation::allocate_slice::<Words>(size).map_err(|_| error::no_memory(format_args!("{size} more runs")))?;
    let places = memory.cast::<Run>();
    for index in 0..size {
        // SAFETY: within the new memory.
        unsafe { places.add(index).write(Run::new()) };
    }
    let used = list::locked(|_| {
        if MADE.load(Ordering::Relaxed) != piece {
            return false;
        }
        MADE.store(piece + 1, Ordering::Relaxed);
        runs::publish_piece(piece, places.as_ptr());
        let start = runs::start_of_piece(piece);
        for index in (start..start + size).rev() {
            if let Some(run) = runs::place(index) {
                put_free(index, run);
            }
        }
        true
    });
    if !used {
        // SAFETY: allocated above, and nobody has seen it.
        unsafe { allocation::release_slice(memory, size) };
    }
    Ok(())
}

pub(crate) fn close(number: wasmtrap_run_t) -> Result<(), Failure> {
    let closed = list::locked(|_| {
        let (index, run) = runs::find_open(number)?;
        leave_thread(run);
        run.renew();
        put_free(index, run);
        Some(())
    });
    closed.ok_or_else(|| unknown(number))
}

/// The run is on its thread no longer, if it was on one; `life` is what has become of it. With the lock.
fn take_off_thread(run: &Run, life: u8) {
    leave_thread(run);
    run.life.store(life, Ordering::Relaxed);
}

fn leave_thread(run: &Run) {
    // SAFETY: null, or a thread on the list, which is there as long as the lock is held.
    if let Some(thread) = unsafe { run.thread.swap(core::ptr::null_mut(), Ordering::Relaxed).as_ref() } {
        thread.runs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The run is on this thread from now on. With the lock.
fn join_thread(run: &Run, thread: &Thread) {
    run.life.store(ON_THREAD, Ordering::Relaxed);
    run.thread.store(core::ptr::from_ref(thread).cast_mut(), Ordering::Relaxed);
    thread.runs.fetch_add(1, Ordering::Relaxed);
    if run.word.load(Ordering::SeqCst) & runs::PENDING != 0 {
        thread.attention.fetch_or(ATTENTION_INTERRUPT, Ordering::SeqCst);
    }
}

/// The run's call has ended.
pub(crate) fn ended(number: wasmtrap_run_t) {
    leaves(number, OVER);
}

/// The run leaves its thread, if it is still open.
fn leaves(number: wasmtrap_run_t, life: u8) {
    list::locked(|_| {
        if let Some((_, run)) = runs::find_open(number) {
            take_off_thread(run, life);
        }
    });
}

/// Before a run is called: claims it for this thread. Everything else is wasmtrap_call's to check.
pub(crate) unsafe extern "C" fn prepare(arguments: &mut Arguments) -> wasmtrap_status_t {
    match claim(arguments) {
        Ok(()) => WASMTRAP_OK,
        Err(failure) => failure.status(),
    }
}

fn claim(arguments: &mut Arguments) -> Result<(), Failure> {
    library::require_ready()?;
    if arguments.function.is_none() {
        return Err(error::null("function"));
    }
    let number = arguments.run;
    let thread = threads::attach()?;
    let claimed = list::locked(|_| {
        let (_, run) = runs::find_open(number)?;
        let is_fresh = run.life.load(Ordering::Relaxed) == FRESH;
        if is_fresh {
            join_thread(run, thread);
        }
        arguments.word = &raw const run.word;
        Some(is_fresh)
    });
    match claimed {
        Some(true) => Ok(()),
        Some(false) => Err(fail(
            WASMTRAP_ERR_BUSY,
            format_args!("run {number:#x} has been called already: a run is one protected call"),
        )),
        None => Err(unknown(number)),
    }
}

/// In the run's protected call, before its function: from here on a signal that finds the thread in registered code
/// ends the call.
pub(crate) unsafe extern "C" fn begin(arguments: &Arguments) {
    if let Some(thread) = threads::current() {
        // SAFETY: the call that this thread has just entered.
        if let Some(call) = unsafe { thread.calls.innermost().as_ref() } {
            call.run.store(arguments.run, Ordering::SeqCst);
        }
    }
}

/// After the call, which came to `status`.
pub(crate) unsafe extern "C" fn end(arguments: &Arguments, status: wasmtrap_status_t) -> wasmtrap_status_t {
    if status >= WASMTRAP_OK || status == WASMTRAP_ERR_WRONG_THREAD {
        ended(arguments.run);
    } else {
        // It has not been called.
        leaves(arguments.run, FRESH);
    }
    status
}

/// What an interrupt met with.
enum Met {
    Unknown,
    Over,
    /// It pends, and the thread has been told; or it pended already.
    Done,
    /// The thread cannot be reached.
    Refused(interrupt_signal::Unreached),
}

pub(crate) fn interrupt(number: wasmtrap_run_t, code: wasmtrap_code_t, payload: u64) -> Result<(), Failure> {
    library::require_ready()?;
    let met = list::locked(|_| {
        let Some((_, run)) = runs::find_open(number) else { return Met::Unknown };
        if run.life.load(Ordering::Relaxed) == OVER {
            return Met::Over;
        }
        let is_first = run.interrupt(code, payload);
        // SAFETY: null, or a thread on the list, which is there as long as the lock is held.
        let Some(thread) = (unsafe { run.thread.load(Ordering::Relaxed).as_ref() }) else { return Met::Done };
        thread.attention.fetch_or(ATTENTION_INTERRUPT, Ordering::SeqCst);
        match interrupt_signal::reach(thread) {
            Ok(()) => Met::Done,
            Err(refused) => {
                if is_first {
                    run.cancel();
                }
                Met::Refused(refused)
            }
        }
    });
    match met {
        Met::Done => Ok(()),
        Met::Unknown => Err(unknown(number)),
        Met::Over => Err(over(number)),
        Met::Refused((call, error)) => Err(error::system(call, error)),
    }
}

/// Takes back an interrupt that pends. Whether one did.
pub(crate) fn cancel(number: wasmtrap_run_t) -> Result<bool, Failure> {
    library::require_ready()?;
    list::locked(|_| runs::find_open(number).map(|(_, run)| run.cancel())).ok_or_else(|| unknown(number))
}

/// Takes an interrupt of the runs that this thread is in, for code of the library's that was called from `sp`.
fn take(thread: &Thread, landing: *const Activation, sp: usize) -> Option<Taken> {
    // First, so that one that comes after the look is not cleared with it.
    if thread.attention.fetch_and(!ATTENTION_INTERRUPT, Ordering::SeqCst) & ATTENTION_INTERRUPT == 0 {
        return None;
    }
    let taken = land::take_interrupt(thread, landing, sp);
    if taken.is_some() {
        // There may be one more, of a run further out.
        thread.attention.fetch_or(ATTENTION_INTERRUPT, Ordering::SeqCst);
    }
    taken
}

/// A protected call is about to be entered within the runs of this thread, from `sp`: an interrupt of theirs, which
/// ends it before it begins.
pub(crate) fn take_at_entry(thread: &Thread, sp: usize) -> Option<Taken> {
    take(thread, land::innermost(thread, sp), sp)
}

fn land_at(at: &TrapAt) -> Landing {
    let Some(thread) = threads::current() else { return Landing::NONE };
    let place = land::landing_place(thread, at.sp, at.fp, None);
    match take(thread, place, at.sp) {
        // SAFETY: a run of this thread is alive, and with it a call in which the trap lands.
        Some(taken) => unsafe { call::land(thread, place, taken.code, taken.payload, at) },
        None => Landing::NONE,
    }
}

/// wasmtrap_interrupt_point was called, and there may be an interrupt: where to land, if there is one.
pub(crate) unsafe extern "C" fn at_point(pc: usize, sp: usize, fp: usize) -> Landing {
    land_at(&TrapAt { source: WASMTRAP_SOURCE_INTERRUPT, pc, is_return_address: true, sp, fp })
}

/// The same before the first instruction of a run's function, at `pc`.
pub(crate) unsafe extern "C" fn at_first_instruction(pc: usize, sp: usize, fp: usize) -> Landing {
    // What has been seen is an interrupt of this very run, which need not have called for attention.
    if let Some(thread) = threads::current() {
        thread.attention.fetch_or(ATTENTION_INTERRUPT, Ordering::SeqCst);
    }
    land_at(&TrapAt { source: WASMTRAP_SOURCE_INTERRUPT, pc, is_return_address: false, sp, fp })
}

/// Shows the runs of those calls of a thread that are alive.
fn each(thread: &Thread, is_alive: impl Fn(*const Activation) -> bool, mut show: impl FnMut(&Run)) {
    for index in 0..thread.calls.depth() {
        let call = thread.calls.get(index);
        if !is_alive(call) {
            continue;
        }
        // SAFETY: the frame of a call that is alive can be read.
        let number = unsafe { (*call).run.load(Ordering::Relaxed) };
        if number != 0 {
            list::locked(|_| _ = runs::find_open(number).map(|(_, run)| show(run)));
        }
    }
}

/// The thread's calls are about to be taken off it, by code that runs at `sp`.
pub(crate) fn chain_is_detached(thread: &Thread, sp: usize) {
    if thread.runs.load(Ordering::Relaxed) != 0 {
        each(thread, |call| land::is_alive(thread, call, sp), |run| take_off_thread(run, DETACHED));
    }
}

/// The thread has got the calls of a chain, all of which are alive.
pub(crate) fn chain_is_attached(thread: &Thread) {
    each(thread, |_| true, |run| join_thread(run, thread));
}

/// A thread leaves the list, or does not exist in a forked child: what runs are on it are over. With the lock.
pub(crate) fn thread_ends(thread: &Thread) {
    if thread.runs.load(Ordering::Relaxed) == 0 {
        return;
    }
    for index in 0..runs::start_of_piece(MADE.load(Ordering::Relaxed)) {
        if let Some(run) = runs::place(index)
            && core::ptr::eq(run.thread.load(Ordering::Relaxed), thread)
        {
            take_off_thread(run, OVER);
        }
    }
}

/// Where the guest is entered, for the assembly: nothing of a run's is in its way but one look.
const _: () = assert!(core::mem::offset_of!(Run, word) == 0 && runs::PENDING == 1 && size_of::<Arguments>() == 40);
