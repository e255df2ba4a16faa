//! What each fault's signal does now, in words.

use core::fmt::{self, Write};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use core::sync::atomic::Ordering;

use super::{Seen, describe_each};
use crate::outside::platform;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use crate::shared::state;

/// A line for each signal of these kinds, and one about a sigaction that is another's.
pub(crate) fn describe(out: &mut impl Write, kinds: u32) -> fmt::Result {
    let mut result = Ok(());
    describe_each(kinds, |signal, seen| {
        result = result.and_then(|()| write_signal(out, signal, seen.as_ref()));
    });
    result?;
    describe_leaving(out)?;
    let Some(sigaction) = platform::foreign_sigaction() else { return Ok(()) };
    write!(out, "sigaction: interposed by ")?;
    write_handler(out, sigaction)?;
    writeln!(out, "; what it keeps to itself is asked of the kernel, and set there")
}

/// Elsewhere there is no choice.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn describe_leaving(out: &mut impl Write) -> fmt::Result {
    let how = match state::LEAVES_BY_JUMP.load(Ordering::Relaxed) {
        true => "a jump and rt_sigprocmask, where that comes to the same as rt_sigreturn",
        false => "rt_sigreturn",
    };
    writeln!(out, "traps leave their handlers by {how}")
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn describe_leaving(_out: &mut impl Write) -> fmt::Result {
    Ok(())
}

pub(crate) fn signal_name(signal: libc::c_int) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        _ => "SIGTRAP",
    }
}

fn write_signal(out: &mut impl Write, signal: libc::c_int, seen: Option<&Seen>) -> fmt::Result {
    write!(out, "{}: ", signal_name(signal))?;
    let Some(seen) = seen else { return writeln!(out, "unknown, sigaction failed") };
    match seen.below {
        Some(below) => {
            write!(out, "ours; what is not a trap goes to ")?;
            write_handler(out, below.handler)?;
        }
        None => {
            write!(out, "displaced by ")?;
            write_handler(out, seen.now.handler)?;
            write!(out, "; wasmtrap_rearm puts ours back on top")?;
        }
    }
    if let Some(told) = &seen.told {
        write!(out, "; so the kernel says, while sigaction says ")?;
        write_handler(out, told.handler)?;
    }
    writeln!(out)
}

/// A handler by the object that it belongs to, and by its name if that is exported.
pub(crate) fn write_handler(out: &mut impl Write, handler: usize) -> fmt::Result {
    match handler {
        libc::SIG_DFL => return write!(out, "the default action"),
        libc::SIG_IGN => return write!(out, "nobody (ignored)"),
        _ => write!(out, "{handler:#x}")?,
    }
    platform::describe_object(out, handler)
}
