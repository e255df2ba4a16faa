//! Sentences on standard error, for what Wasmtime's functions have no way to tell.

use core::fmt::{Arguments, Result, Write};

struct StandardError;

impl Write for StandardError {
    fn write_str(&mut self, text: &str) -> Result {
        // SAFETY: the bytes are there. If they cannot be written, nobody can be told that either.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
        Ok(())
    }
}

/// Says it and goes on.
pub(crate) fn complain(what: Arguments<'_>) {
    let _ = writeln!(StandardError, "libwasmtrap_wasmtime: {what}");
}

/// Says it and ends the process: for calls that cannot fail.
#[cfg(not(feature = "wasmtime-36"))]
pub(crate) fn stop(why: &str) -> ! {
    complain(format_args!("{why}"));
    // SAFETY: no arguments.
    unsafe { libc::abort() }
}
