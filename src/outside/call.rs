//! Protected calls: what the assembly of `wasmtrap_call` and `wasmtrap_raise` hands to Rust.
//!
//! All of it runs in ordinary context, on the thread of the call. None of it may unwind: there are frames of assembly
//! above.

use core::fmt::Write;
use core::sync::atomic::{Ordering, fence};

use super::error::{self, Failure, fail};
use super::text::Text;
use super::threads::chains;
use super::{library, platform, runs, sanitizers, threads};
use crate::arch;
use crate::inside::signals::kernel;
use crate::inside::{ask, backend, land, lookup};
use crate::shared::abi::*;
use crate::shared::activation::Activation;
use crate::shared::pending::Read;
use crate::shared::seal;
use crate::shared::thread::{ATTENTION_SET_UP, Thread};

/// What `prepare` says where the call has to be made by `call_within_a_jump`.
pub(crate) const WITHIN_A_JUMP: wasmtrap_status_t = 2;

/// No less than any platform's jmp_buf; a multiple of 16.
#[cfg_attr(windows, allow(dead_code, reason = "no sanitizer there wants jumps"))]
pub(crate) const SIZE_OF_JUMP: usize = 512;

/// `wasmtrap_call` behind its checks, for sanitizers that want to see a longjmp where frames are dropped.
///
/// # Safety
/// As `wasmtrap_call`'s; `prepare` said that it is to be called.
#[cfg_attr(windows, allow(dead_code, reason = "no sanitizer there wants jumps"))]
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn call_within_a_jump(
    function: wasmtrap_function_t,
    argument: *mut core::ffi::c_void,
    trap: *mut wasmtrap_trap_t,
) -> wasmtrap_status_t {
    arch::call_within_a_jump!()
}

/// Before the call, when the fast path found something missing: attaches the thread and makes room, or says what is
/// wrong. `sp` is further in than any protected call that is alive on this stack.
///
/// When this returns WASMTRAP_OK the thread counts as inside of one more call, whose entry is still 0. WASMTRAP_TRAPPED
/// says that a run which the call would be in has been interrupted: the function is not called.
pub(crate) unsafe extern "C" fn prepare(
    function: wasmtrap_function_t,
    _argument: *mut core::ffi::c_void,
    trap: *mut wasmtrap_trap_t,
    sp: usize,
) -> wasmtrap_status_t {
    let result = library::require_ready()
        .and_then(|()| function.ok_or_else(|| error::null("function")))
        // SAFETY: the caller of wasmtrap_call promises it.
        .and_then(|_| unsafe { check_record(trap) })
        .and_then(|()| enter(sp));
    match result {
        Ok(Entered::Interrupted(code, payload)) => {
            let pc = function.map_or(0, |function| function as usize);
            let at = TrapAt { source: WASMTRAP_SOURCE_INTERRUPT, pc, is_return_address: false, sp, fp: 0 };
            // SAFETY: null or checked above, and by the contract of wasmtrap_call valid.
            if let Some(out) = unsafe { trap.as_mut() } {
                at.describe(out, code, payload);
                if let (Some(frame), false) = (core::ptr::NonNull::new(out.frames), out.frames_capacity == 0) {
                    // SAFETY: the caller vouches for its frames, of which there is one.
                    unsafe { frame.write(pc) };
                    out.frame_count = 1;
                }
            }
            WASMTRAP_TRAPPED
        }
        Ok(Entered::Yes) if sanitizers::need_jumps() => WITHIN_A_JUMP,
        Ok(Entered::Yes) => WASMTRAP_OK,
        Err(failure) => failure.status(),
    }
}

/// What entering a call came to.
enum Entered {
    Yes,
    /// A run is to end instead, with this code and payload.
    Interrupted(wasmtrap_code_t, u64),
}

/// # Safety
/// `trap` is null, or its size can be read, and all of it if that is right.
unsafe fn check_record(trap: *const wasmtrap_trap_t) -> Result<(), Failure> {
    if trap.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let size = unsafe { (*trap).struct_size };
    if size != size_of::<wasmtrap_trap_t>() {
        return Err(error::struct_size("trap", size, size_of::<wasmtrap_trap_t>()));
    }
    // SAFETY: as above.
    let (frames, capacity) = unsafe { ((*trap).frames, (*trap).frames_capacity) };
    if frames.is_null() && capacity != 0 {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("trap->frames is NULL, but trap->frames_capacity is {capacity}"),
        ));
    }
    Ok(())
}

/// Has the thread, attached if need be, count as inside of one more call, unless one of its runs was interrupted.
fn enter(sp: usize) -> Result<Entered, Failure> {
    loop {
        let thread = threads::attach()?;
        chains::forget_left_calls(thread, sp);
        if let Some(taken) = runs::take_at_entry(thread, sp) {
            return Ok(Entered::Interrupted(taken.code, taken.payload));
        }
        chains::make_room(thread, 1)?;
        let depth = thread.calls.depth();
        thread.calls.set_depth(depth + 1);
        // As on the fast path, but for its barrier: a shutdown sees the depth, or this thread sees the shutdown's call
        // for attention.
        fence(Ordering::SeqCst);
        if thread.attention.load(Ordering::SeqCst) & ATTENTION_SET_UP == 0 {
            return Ok(Entered::Yes);
        }
        thread.calls.set_depth(depth);
    }
}

/// This thread's record; `None` if it is not attached.
fn this_thread() -> Option<&'static Thread> {
    // SAFETY: null or this thread's record, which only this thread frees, and never during a protected call.
    unsafe { arch::current_thread().as_ref() }
}

/// Takes `activation`, and all that is further in, off the thread's chain: its call has ended. False if it is not on
/// it, or if something further in is alive on another stack; that stays.
///
/// # Safety
/// The activation is that of a call which is just ending on this thread.
unsafe fn unlink(activation: *mut Activation) -> bool {
    // SAFETY: the caller's promise.
    let run = unsafe {
        seal::take_off(activation);
        (*activation).run.load(Ordering::Relaxed)
    };
    if run != 0 {
        runs::ended(run);
    }
    let Some(thread) = this_thread() else { return false };
    let calls = &thread.calls;
    let Some(index) = calls.find(activation) else { return false };
    // What is further in on the same stack was left by longjmp, or is being left by an exception.
    let is_gone = |inner: usize| !land::is_alive(thread, calls.get(inner), activation.addr());
    if (index + 1..calls.depth()).all(is_gone) {
        calls.cut(index);
        true
    } else {
        calls.remove(index);
        false
    }
}

/// The function has returned, but the thread's chain does not end with its call.
pub(crate) unsafe extern "C" fn returned_out_of_order(activation: *mut Activation) -> wasmtrap_status_t {
    // SAFETY: it has just returned.
    if unsafe { unlink(activation) } {
        return WASMTRAP_OK;
    }
    let failure = fail(
        WASMTRAP_ERR_WRONG_THREAD,
        format_args!(
            "the function has returned, but the protected call at {:#x} is not the innermost of this thread: a stack \
             was switched without wasmtrap_chain_detach and wasmtrap_chain_attach, or wasmtrap_unwind_to went past it",
            activation.addr()
        ),
    );
    failure.status()
}

/// An exception passes through the call.
pub(crate) unsafe extern "C" fn unwound(activation: *mut Activation) {
    // Not being on the chain is no reason to stop an exception.
    // SAFETY: the exception ends it.
    let _ = unsafe { unlink(activation) };
}

/// Takes a call in which a trap lands off the chain, with all that is further in, which the trap has dropped.
///
/// # Safety
/// The call is alive, and a trap lands in it.
unsafe fn landed(thread: &Thread, activation: *mut Activation) -> &'static Activation {
    // SAFETY: the caller's promise.
    unsafe { seal::take_off(activation) };
    if let Some(index) = thread.calls.find(activation) {
        thread.calls.cut(index);
    }
    // SAFETY: the frame is there until `wasmtrap_call` returns.
    unsafe { &*activation }
}

/// A trap has landed in the call: takes the call off the chain, and hands out the record. Not in the handler: the
/// embedder's memory may be such that a write to it is a fault of its own, for a handler of the embedder's.
///
/// `maker` is 0 if the thread itself made the trap, 2 if the backend did for it; 3 after a raise, which has done all
/// that but for the signal mask.
pub(crate) unsafe extern "C" fn trapped(activation: *mut Activation, maker: u32) {
    let Some(thread) = this_thread() else { return };
    if maker == 3 {
        // On the stack of the protected call, so that signals that have waited find the alternate stack free.
        // Refused, the signals stay blocked, and there is nobody to tell.
        let _ = kernel::set_mask(thread.mask_to_put_back.get());
        return;
    }
    let maker = if maker == 2 { backend::maker(thread) } else { land::Maker::its_thread(thread) };
    // First of all: what this function has in its frame lies where frames have been dropped.
    sanitizers::frames_are_dropped(thread, maker.pending.stack_pointer(activation), activation);
    let mut pending = Read::NOTHING;
    maker.pending.read(activation, &mut pending);
    if let Some(mask) = pending.mask {
        // As above.
        let _ = kernel::set_mask(mask);
    }
    platform::has_landed(&pending.record);
    // SAFETY: a trap has just landed there.
    let activation = unsafe { landed(thread, activation) };
    // SAFETY: null or, by the contract of wasmtrap_call, valid during the call; its size was checked before it.
    let Some(out) = (unsafe { activation.trap.as_mut() }) else { return };
    let (frames, capacity) = (out.frames, out.frames_capacity);
    *out = pending.record;
    out.frames = frames;
    out.frames_capacity = capacity;
    if frames.is_null() {
        out.frame_count = 0;
        out.flags &= !WASMTRAP_FRAMES_TRUNCATED;
        return;
    }
    if out.frame_count > capacity {
        out.frame_count = capacity;
        out.flags |= WASMTRAP_FRAMES_TRUNCATED;
    }
    // SAFETY: the caller vouches for `capacity` elements; the source has as many as the record says.
    unsafe { core::ptr::copy_nonoverlapping(pending.frames.as_ptr().cast(), frames, out.frame_count) };
}

/// What wasmtrap_raise does next.
#[repr(C)]
pub(crate) struct Landing {
    activation: *const Activation,
    /// 1 if nothing is left to do, 3 if the signal mask has to be put back.
    left_to_do: usize,
}

impl Landing {
    /// Nowhere.
    pub(super) const NONE: Self = Self { activation: core::ptr::null(), left_to_do: 0 };
}

/// Where a trap that is no fault comes from.
pub(super) struct TrapAt {
    pub(super) source: u32,
    pub(super) pc: usize,
    /// The instruction that counts is the call before it, which may be the last of its range.
    pub(super) is_return_address: bool,
    pub(super) sp: usize,
    pub(super) fp: usize,
}

impl TrapAt {
    /// Writes a record without a backtrace.
    fn describe(&self, out: &mut wasmtrap_trap_t, code: wasmtrap_code_t, payload: u64) {
        let &Self { source, pc, sp, fp, .. } = self;
        let (frames, frames_capacity) = (out.frames, out.frames_capacity);
        *out = wasmtrap_trap_t { frames, frames_capacity, code, source, payload, pc, sp, fp, ..land::EMPTY };
        let back = usize::from(self.is_return_address);
        let place = pc.wrapping_sub(back);
        if let Some(range) = this_thread().and_then(|thread| lookup::code_that_raises(thread, place)) {
            land::describe_range(out, &range);
            out.code_offset += back;
        }
    }
}

/// Makes a trap that is no fault: takes the call that it lands in off the chain, writes the record where the caller
/// wants it, and returns where to land.
///
/// # Safety
/// `place` is a protected call of this thread that is alive, and the trap lands in it.
pub(super) unsafe fn land(
    thread: &Thread,
    place: *mut Activation,
    code: wasmtrap_code_t,
    payload: u64,
    at: &TrapAt,
) -> Landing {
    // SAFETY: the caller's promise; null or, by the contract of wasmtrap_call, valid during the call; its size was
    // checked before it.
    if let Some(out) = unsafe { (*place).trap.as_mut() } {
        at.describe(out, code, payload);
        // SAFETY: what wasmtrap_call was given.
        unsafe { land::add_frames_for_caller(out, thread, place) };
    }
    // SAFETY: the caller's promise.
    let activation = unsafe { landed(thread, place) };
    platform::leaving_for(activation);
    sanitizers::frames_are_dropped(thread, at.sp, activation);
    let left_to_do = match ask::left_by_raise(thread, at.sp, activation) {
        Some(mask) => {
            thread.mask_to_put_back.set(mask);
            3
        }
        None => 1,
    };
    Landing { activation, left_to_do }
}

/// wasmtrap_raise was called: what comes of it.
pub(crate) unsafe extern "C" fn raised(
    code: wasmtrap_code_t,
    payload: u64,
    pc: usize,
    sp: usize,
    fp: usize,
) -> Landing {
    let thread = this_thread();
    let place = thread.map_or(core::ptr::null_mut(), |thread| land::landing_place(thread, sp, fp, None));
    let (Some(thread), false) = (thread, place.is_null()) else {
        let mut text = Text::<256>::new();
        let _ = writeln!(
            text,
            "libwasmtrap: wasmtrap_raise({code}, {payload}) was called outside of a protected call; there is \
             nowhere to go"
        );
        text.write_to_stderr();
        // SAFETY: no arguments.
        unsafe { libc::abort() }
    };
    let at = TrapAt { source: WASMTRAP_SOURCE_RAISE, pc, is_return_address: true, sp, fp };
    // SAFETY: a protected call of this thread that is alive.
    unsafe { land(thread, place, code, payload, &at) }
}
