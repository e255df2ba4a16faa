//! The set-up in words: what goes into a log or a support ticket.

use core::ffi::CStr;
use core::fmt::{self, Write};

use super::clients::Client;
use super::text::{CallerBuffer, write_c};
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
        _ => signals::NAME,
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
        signals::describe(out, set_up.options.fault_kinds)?;
    }
    interrupt_signal::describe(out)?;
    let mut result = Ok(());
    library::with_clients(|clients| {
        for client in clients.iter() {
            let Client { number, name, .. } = client;
            result = result.and_then(|()| writeln!(out, "client {number}: {name}"));
        }
    });
    result?;
    let mut result = Ok(());
    adoption::each(|id, client, engine| {
        result = result
            .and_then(|()| write!(out, "adopted engine {id} of client {client}: "))
            .and_then(|()| signals::stand_ins::describe(out, engine))
            .and_then(|()| writeln!(out));
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
    let mut program = [0_u8; 512];
    platform::executable_path(&mut program);
    let version = names::VERSION.to_str().unwrap_or("?");
    write!(out, "libwasmtrap {version} on ")?;
    platform::describe_system(out)?;
    write!(out, ", process {}: ", platform::process_id())?;
    write_c(out, CStr::from_bytes_until_nul(&program).unwrap_or_default())?;
    writeln!(out)
}
