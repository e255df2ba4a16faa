//! What the description says of the calling thread: its alternate signal stack, and which fault signals it blocks.

use core::fmt::{self, Write};

use super::{alternate_stack, signal_mask};
use crate::arch;
use crate::outside::signals::signal_name;
use crate::outside::text::CallerBuffer;
use crate::shared::disposition::SIGNALS;

/// A line about the alternate signal stack and one about the signal mask.
pub(crate) fn write_this_thread(out: &mut CallerBuffer) -> fmt::Result {
    // SAFETY: null or this thread's record, which only this thread frees.
    let thread = unsafe { arch::current_thread().as_ref() };
    write!(out, "this thread's alternate signal stack: ")?;
    match (alternate_stack::current(), thread) {
        (Err(_), _) => write!(out, "unknown, sigaltstack failed")?,
        (Ok(now), _) if !alternate_stack::is_enabled(&now) => write!(out, "none")?,
        (Ok(now), thread) => {
            let ours = thread.and_then(|thread| thread.alternate_stack.get());
            let whose = if ours.is_some_and(|ours| ours.base == now.ss_sp) { "the library's" } else { "the host's" };
            write!(out, "{whose}, {} bytes at {:#x}", now.ss_size, now.ss_sp.addr())?;
        }
    }
    let is_enough = alternate_stack::current().is_ok_and(|now| alternate_stack::is_enough(thread, &now));
    match (is_enough, thread.is_some()) {
        (true, _) => writeln!(out)?,
        (false, true) => writeln!(
            out,
            "; too small for traps, and changed since the thread was attached: wasmtrap_thread_attach mends it"
        )?,
        (false, false) => {
            writeln!(out, "; the thread gets one of {} bytes when it is attached", alternate_stack::wanted())?
        }
    }
    let lifted = thread.map_or(0, |thread| thread.lifted.get());
    if lifted != 0 {
        write!(out, "this thread's signal mask: it blocked")?;
        write_signals(out, lifted)?;
        writeln!(out, " until it was attached, and will again when it is detached")?;
    }
    match signal_mask::blocked() {
        Ok(0) => Ok(()),
        Ok(blocked) => {
            write!(out, "this thread's signal mask: it blocks")?;
            write_signals(out, blocked)?;
            let cure = if signal_mask::keeps() {
                "WASMTRAP_INIT_KEEP_SIGNAL_MASK leaves that to the host"
            } else {
                "wasmtrap_thread_attach lifts the block"
            };
            writeln!(out, " now, so that the kernel kills the process for their faults: {cure}")
        }
        Err(_) => writeln!(out, "this thread's signal mask: unknown, pthread_sigmask failed"),
    }
}

fn write_signals(out: &mut CallerBuffer, indices: u32) -> fmt::Result {
    for (index, &signal) in SIGNALS.iter().enumerate() {
        if indices & 1 << index != 0 {
            write!(out, " {}", signal_name(signal))?;
        }
    }
    Ok(())
}
