//! The set-up in words: what goes into a log or a support ticket.

use core::ffi::CStr;
use core::fmt::{self, Write};

use super::clients::Client;
use super::text::CallerBuffer;
use super::{adoption, exceptions, interrupt_signal, library, names, platform, registry, signals, threads};
use crate::shared::abi::*;
use crate::shared::state;
use core::sync::atomic::Ordering;

/// Writes the description and returns its length.
///
/// # Safety
/// `buffer` is valid for `capacity` bytes.
pub(crate) unsafe fn describe(buffer: *mut u8, capacity: usize) -> usize {
    // SAFETY: the caller's promise.
    let mut out = unsafe { CallerBuffer::new(buffer, capacity) };
    // The buffer takes everything; what does not fit is counted.
    let _ = write_all(&mut out);
    out.finish()
}

fn write_all(out: &mut CallerBuffer) -> fmt::Result {
    write_host(out)?;
    exceptions::describe_host(out)?;
    let Some(set_up) = library::current() else {
        return writeln!(
            out,
            "not set up: wasmtrap_init has not been called, or wasmtrap_shutdown has been called since"
        );
    };
    let backend = match set_up.backend {
        WASMTRAP_BACKEND_MACH_PORTS => "Mach exception ports",
        _ => "signals",
    };
    writeln!(out, "backend: {backend}, because {}", set_up.because)?;
    if set_up.backend == WASMTRAP_BACKEND_MACH_PORTS {
        exceptions::describe(out)?;
    }
    write!(out, "faults taken:")?;
    for (kind, name) in [
        (WASMTRAP_FAULT_MEMORY, "memory"),
        (WASMTRAP_FAULT_ILLEGAL, "illegal instruction"),
        (WASMTRAP_FAULT_ARITHMETIC, "arithmetic"),
        (WASMTRAP_FAULT_BREAKPOINT, "breakpoint"),
    ] {
        if set_up.options.fault_kinds & kind != 0 {
            write!(out, " {name};")?;
        }
    }
    writeln!(out)?;
    if set_up.options.host_owns_signals {
        writeln!(out, "signal handlers: none of ours, the host calls wasmtrap_try_handle_signal")?;
    } else {
        let mut result = Ok(());
        signals::describe_each(set_up.options.fault_kinds, |signal, seen| {
            result = result.and_then(|()| write_signal(out, signal, seen.as_ref()));
        });
        result?;
        if let Some(sigaction) = platform::foreign_sigaction() {
            write!(out, "sigaction: interposed by ")?;
            write_handler(out, sigaction)?;
            writeln!(out, "; what it keeps to itself is asked of the kernel, and set there")?;
        }
    }
    match interrupt_signal::current() {
        0 => (),
        signal => writeln!(out, "interrupts: by signal {signal}")?,
    }
    let mut result = Ok(());
    library::with_clients(|clients| {
        for client in clients.iter() {
            let Client { number, name, .. } = client;
            result = result.and_then(|()| writeln!(out, "client {number}: {name}"));
        }
    });
    result?;
    let mut result = Ok(());
    adoption::each(|id, client, signals| {
        result = result
            .and_then(|()| writeln!(out, "adopted engine {id} of client {client}: handlers of {signals} signals"));
    });
    result?;
    let handler = match state::FAULT_HANDLER_COUNT.load(Ordering::Relaxed) {
        0 => "none",
        _ => "set",
    };
    threads::describe::write_this_thread(out)?;
    writeln!(
        out,
        "registered: {} code ranges, {} regions; fault handler: {handler}; threads attached: {}",
        registry::CODE.len(),
        registry::REGIONS.len(),
        threads::list::count()
    )
}

fn write_host(out: &mut CallerBuffer) -> fmt::Result {
    // SAFETY: all-zero is a valid utsname to write into.
    let mut system: libc::utsname = unsafe { core::mem::zeroed() };
    // SAFETY: `system` is valid for a write.
    unsafe { libc::uname(&raw mut system) };
    let mut program = [0_u8; 512];
    platform::executable_path(&mut program);
    let version = names::VERSION.to_str().unwrap_or("?");
    write!(out, "libwasmtrap {version} on ")?;
    // SAFETY: the fields end in NUL, and so does `program`.
    unsafe {
        write_c(out, system.sysname.as_ptr())?;
        out.write_char(' ')?;
        write_c(out, system.release.as_ptr())?;
        out.write_char(' ')?;
        write_c(out, system.machine.as_ptr())?;
        write!(out, ", process {}: ", libc::getpid())?;
        write_c(out, program.as_ptr().cast())?;
    }
    writeln!(out)
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

fn write_signal(out: &mut CallerBuffer, signal: libc::c_int, seen: Option<&signals::Seen>) -> fmt::Result {
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
fn write_handler(out: &mut CallerBuffer, handler: usize) -> fmt::Result {
    match handler {
        libc::SIG_DFL => return write!(out, "the default action"),
        libc::SIG_IGN => return write!(out, "nobody (ignored)"),
        _ => write!(out, "{handler:#x}")?,
    }
    // SAFETY: all-zero is a valid Dl_info to write into.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: dladdr only looks the address up.
    let known = unsafe { libc::dladdr(handler as *const core::ffi::c_void, &raw mut info) } != 0;
    if !known || info.dli_fname.is_null() {
        return Ok(());
    }
    write!(out, " (")?;
    if !info.dli_sname.is_null() && info.dli_saddr.addr() == handler {
        // SAFETY: the loader's own string.
        unsafe { write_c(out, info.dli_sname)? };
        write!(out, " ")?;
    }
    write!(out, "in ")?;
    // SAFETY: as above.
    unsafe { write_c(out, info.dli_fname)? };
    write!(out, " at {:#x})", handler.wrapping_sub(info.dli_fbase.addr()))
}

/// # Safety
/// `text` ends in NUL.
unsafe fn write_c(out: &mut CallerBuffer, text: *const core::ffi::c_char) -> fmt::Result {
    // SAFETY: the caller's promise.
    for chunk in unsafe { CStr::from_ptr(text) }.to_bytes().utf8_chunks() {
        out.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            out.write_char(char::REPLACEMENT_CHARACTER)?;
        }
    }
    Ok(())
}
