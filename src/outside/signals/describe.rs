//! What each fault's signal does now, in words.

use core::fmt::{self, Write};

use super::{Seen, describe_each};
use crate::outside::platform;

/// A line for each signal of these kinds, and one about a sigaction that is another's.
pub(crate) fn describe(out: &mut impl Write, kinds: u32) -> fmt::Result {
    let mut result = Ok(());
    describe_each(kinds, |signal, seen| {
        result = result.and_then(|()| write_signal(out, signal, seen.as_ref()));
    });
    result?;
    let Some(sigaction) = platform::foreign_sigaction() else { return Ok(()) };
    write!(out, "sigaction: interposed by ")?;
    write_handler(out, sigaction)?;
    writeln!(out, "; what it keeps to itself is asked of the kernel, and set there")
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
