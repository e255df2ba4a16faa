//! Exceptions and adopted engines: their vectored handlers are called from ours, with the record and the context that
//! ntdll has given to it, in the order of `inside::adopted`.
//!
//! They stay in ntdll's list, behind ours. So what they decline here they are asked about once more, in their place
//! there, and all that is no fault comes to them there alone.

use core::sync::atomic::Ordering;

use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, EXCEPTION_POINTERS, EXCEPTION_RECORD};

use super::classify;
use super::context::Context;
use super::entry::{self, EXCEPTION_CONTINUE_EXECUTION};
use crate::inside::adopted::{self, Faults, Next};
use crate::inside::decide::Kind;
use crate::shared::abi::WASMTRAP_ACCESS_UNKNOWN;
use crate::shared::adopted::COUNT;
use crate::shared::disposition::Disposition;

/// A vectored handler.
type Handler = unsafe extern "system" fn(*mut EXCEPTION_POINTERS) -> i32;

/// An exception that has come to the library's handler. False if it is left to those behind that.
pub(super) fn come_in(record: &mut EXCEPTION_RECORD, context: &mut CONTEXT) -> bool {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return entry::handle(record, context);
    }
    ask_engines(record, context)
}

#[inline(never)] // leaves the stack to the library's own part where no engine is adopted
fn ask_engines(record: &mut EXCEPTION_RECORD, context: &mut CONTEXT) -> bool {
    let Some(faults) = faults(record, context).filter(Faults::concern_engines) else {
        return entry::handle(record, context);
    };
    let mut asked = adopted::NOBODY;
    loop {
        let (next, now) = faults.next(asked);
        asked = now;
        let taken = match next {
            Next::Engine(engine) => offer(engine, record, context),
            Next::Library => entry::handle(record, context),
            Next::Earlier => return false,
        };
        if taken {
            return true;
        }
    }
}

/// The faults that this exception is one of. `None` if the processor did not make it, or if it is of no kind that is
/// a trap with the library: it comes to the engines by ntdll's list, as without adoption.
fn faults(record: &EXCEPTION_RECORD, context: &mut CONTEXT) -> Option<Faults> {
    let seen = classify::classify(record).filter(|seen| seen.kind != Kind::Fatal)?;
    let pc = Context::new(context, seen.access).pc();
    (pc == record.ExceptionAddress.addr()).then(|| Faults::of_this_thread(0, pc))
}

/// Offers a fault to an engine's handlers. False if they have declined.
fn offer(engine: &Disposition, record: &mut EXCEPTION_RECORD, context: &mut CONTEXT) -> bool {
    let mut pointers = EXCEPTION_POINTERS {
        ExceptionRecord: core::ptr::from_mut(record),
        ContextRecord: core::ptr::from_mut(context),
    };
    // Read before the first is called, which may take as long as it likes, or never return.
    for handler in engine.handlers() {
        // SAFETY: a handler's address, as ntdll's list has had it; its module is kept in memory.
        if handler != 0 && unsafe { call(handler, &mut pointers) } == EXCEPTION_CONTINUE_EXECUTION {
            entry::interrupt_what_goes_on(&mut Context::new(context, WASMTRAP_ACCESS_UNKNOWN));
            return true;
        }
    }
    false
}

/// # Safety
/// `handler` is the address of a vectored handler.
#[inline(never)] // a function of its own, in which the check of the built library expects the call
unsafe fn call(handler: usize, pointers: &mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the caller's promise.
    let handler = unsafe { core::mem::transmute::<usize, Handler>(handler) };
    // SAFETY: what ntdll would have called it with.
    unsafe { handler(pointers) }
}
