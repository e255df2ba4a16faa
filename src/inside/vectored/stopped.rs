//! A thread that another one has suspended, to interrupt a run of it.
//!
//! That other thread is in ordinary context, but nothing may run here that may not run in a handler: the thread that is
//! suspended may have any lock.

use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, CONTEXT_FLAGS};

use super::context::{ASKS_WHETHER_BUSY, BUSY, Context, REGISTERS, TELLS_WHETHER_BUSY};
use crate::inside::machine::Report;
use crate::inside::{interrupt, lookup};
use crate::shared::abi::WASMTRAP_ACCESS_UNKNOWN;
use crate::shared::runs::Taken;
use crate::shared::thread::Thread;

/// What of the thread's state is read and set; and whether the kernel is just about to go on with a copy of it.
pub(crate) const WANTED: CONTEXT_FLAGS = REGISTERS | ASKS_WHETHER_BUSY;

/// What was found where the thread is.
pub(crate) enum Found {
    /// Registered code, and an interrupt: the context is that of the landing now.
    Code(Taken),
    /// An exception of registered code, which the kernel is making.
    Exception,
    /// Host code, or no interrupt.
    Nothing,
}

/// Makes a trap of an interrupt of one of the thread's runs, if it is in registered code.
#[inline(never)] // here the proof begins that what runs while a thread is suspended may run in a handler
pub(crate) fn interrupt(thread: &Thread, context: &mut CONTEXT) -> Found {
    let told = context.ContextFlags;
    context.ContextFlags = REGISTERS;
    let mut machine = Context::new(context, WASMTRAP_ACCESS_UNKNOWN);
    let pc = machine.pc();
    // While the kernel makes an exception, or returns from a call, it has taken a copy of the registers or has some of
    // its own: what is set would be lost. Systems that do not tell (Wine 8) stop threads where there is no such moment.
    if told & TELLS_WHETHER_BUSY != 0 && told & BUSY != 0 {
        return if lookup::is_in_code(pc) { Found::Exception } else { Found::Nothing };
    }
    match interrupt::take(thread, &mut machine, pc, &Report::NONE) {
        Some(taken) => Found::Code(taken),
        None => Found::Nothing,
    }
}
