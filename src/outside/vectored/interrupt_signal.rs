//! How threads are interrupted where there is no signal for it: the thread is suspended, and if it is in registered
//! code, its registers are set to where its trap lands. The same items as `interrupt_signal` has.
//!
//! While a thread is suspended it may have any lock of the process, but for those that this thread has: until it goes
//! on nothing is called but what reads and sets its registers, and what may run in a handler. The list's lock is ours,
//! so that the thread is there, and no two threads suspend each other by this.

use core::ffi::c_int;
use core::fmt::{self, Write};

use windows_sys::Win32::Foundation::{CloseHandle, GetLastError, HANDLE};
use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, GetThreadContext, SetThreadContext};
use windows_sys::Win32::System::Threading::{
    OpenThread, ResumeThread, SuspendThread, THREAD_GET_CONTEXT, THREAD_SET_CONTEXT, THREAD_SUSPEND_RESUME,
};

use crate::inside::signals::stopped;
use crate::outside::error::Failure;
use crate::outside::platform;
use crate::shared::runs::{self, Taken};
use crate::shared::thread::Thread;

/// What has failed, and its error number.
pub(crate) type Unreached = (&'static str, i32);

/// Whether it may be the signal.
pub(crate) fn may_be(_signal: c_int) -> bool {
    false
}

pub(crate) fn current() -> c_int {
    0
}

/// Never called with one: see `may_be`.
pub(crate) fn install(_signal: c_int, _host_owns_signals: bool) -> Result<(), Failure> {
    Ok(())
}

/// There is no handler to be displaced.
pub(crate) fn check() -> Result<u32, Failure> {
    Ok(0)
}

pub(crate) fn rearm() -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn describe(out: &mut impl Write) -> fmt::Result {
    writeln!(out, "interrupts: with the thread suspended")
}

pub(crate) fn remove() {}

/// How often a thread is looked at again that the kernel is about to give an exception to.
const MOST_LOOKS: usize = 100;

/// What a look at a thread came to.
enum Looked {
    /// The thread goes on where its trap lands; or it is in host code, and the interrupt pends.
    Done,
    /// The kernel has a copy of its registers, with which it goes on.
    Again,
    Failed(Unreached),
}

/// An interrupt pends for a run of this thread: makes a trap of it, if the thread is in registered code. The thread is
/// on the list, whose lock is held.
pub(crate) fn reach(thread: &Thread) -> Result<(), Unreached> {
    // This thread is in the library.
    if thread.handle == platform::this_thread() {
        return Ok(());
    }
    let rights = THREAD_SUSPEND_RESUME | THREAD_GET_CONTEXT | THREAD_SET_CONTEXT;
    // SAFETY: no memory is involved. The thread has not ended, so that its number is no other's.
    let handle = unsafe { OpenThread(rights, 0, thread.handle as u32) };
    if handle.is_null() {
        return Err(("OpenThread", last_error()));
    }
    let mut result = Ok(());
    for _ in 0..MOST_LOOKS {
        match look(thread, handle) {
            Looked::Done => break,
            Looked::Again => platform::yield_processor(),
            Looked::Failed(unreached) => {
                result = Err(unreached);
                break;
            }
        }
    }
    // SAFETY: opened above.
    unsafe { CloseHandle(handle) };
    result
}

fn look(thread: &Thread, handle: HANDLE) -> Looked {
    /// The system's functions want it at a multiple of 16.
    #[repr(align(16))]
    struct Aligned(CONTEXT);
    // SAFETY: all-zero is a valid value to write into.
    let mut context = Aligned(unsafe { core::mem::zeroed() });
    context.0.ContextFlags = stopped::WANTED;
    // SAFETY: a handle with the right to it; not this thread's.
    if unsafe { SuspendThread(handle) } == u32::MAX {
        return Looked::Failed(("SuspendThread", last_error()));
    }
    // It is only asked to stop; its registers are not told before it has.
    // SAFETY: valid for a write.
    let looked = if unsafe { GetThreadContext(handle, &raw mut context.0) } == 0 {
        Looked::Failed(("GetThreadContext", last_error()))
    } else {
        match stopped::interrupt(thread, &mut context.0) {
            stopped::Found::Code(taken) => set(handle, &context.0, &taken),
            stopped::Found::Exception => Looked::Again,
            stopped::Found::Nothing => Looked::Done,
        }
    };
    // SAFETY: suspended above.
    unsafe { ResumeThread(handle) };
    looked
}

/// Has the thread go on where its trap lands. Where the system forbids that (shadow stacks), the interrupt pends again.
fn set(handle: HANDLE, context: &CONTEXT, taken: &Taken) -> Looked {
    // SAFETY: the thread is suspended in registered code; it goes on as if that had trapped.
    if unsafe { SetThreadContext(handle, core::ptr::from_ref(context)) } != 0 {
        return Looked::Done;
    }
    let error = last_error();
    if let Some((_, run)) = runs::find(taken.run) {
        run.interrupt(taken.code, taken.payload);
    }
    Looked::Failed(("SetThreadContext", error))
}

fn last_error() -> i32 {
    // SAFETY: no arguments.
    unsafe { GetLastError() as i32 }
}

pub(crate) fn lock_for_fork() {}

/// # Safety
/// None is needed.
pub(crate) unsafe fn unlock_after_fork() {}
