//! The Mach half of the description: what was found out about the process, and how the ports are doing.

use core::ffi::CStr;
use core::fmt::{self, Write};
use core::sync::atomic::Ordering;

use super::host::{CS_PLATFORM_BINARY, CS_RUNTIME, Entitlements, Host};
use super::policy::{Answer, Behavior, Call, Port};
use super::{ports, system};
use crate::inside::mach::server::{ANSWERED, DROPPED};
use crate::inside::mach::state::FLAVOR;

use crate::shared::mach::SETTABLE_BEHAVIORS;

/// What kind of process this is.
pub(crate) fn write_host(out: &mut impl Write) -> fmt::Result {
    let host = system::look();
    let version = system::version();
    let version = CStr::from_bytes_until_nul(&version).ok().and_then(|text| text.to_str().ok()).unwrap_or("");
    write!(out, "process: macOS {}", if version.is_empty() { "of an unknown version" } else { version })?;
    write!(out, " ({}); ", host.darwin)?;
    write_identity(out)?;
    write_hardening(out, &host)?;
    write!(out, "; {}translated by Rosetta", if host.translated { "" } else { "not " })?;
    writeln!(out, "; {}forked without exec", if host.forked { "" } else { "not " })
}

/// Nothing is decided by it, but who reads this wants to know whether it is Apple's Python or another one.
fn write_identity(out: &mut impl Write) -> fmt::Result {
    match system::identity() {
        None => write!(out, "signed as nobody who can be told; "),
        Some(identity) => match CStr::from_bytes_until_nul(&identity).ok().map(CStr::to_bytes) {
            None | Some([]) => write!(out, "signed with an empty identity; "),
            Some(identity) => write!(out, "signed as {}; ", identity.escape_ascii()),
        },
    }
}

fn write_hardening(out: &mut impl Write, host: &Host) -> fmt::Result {
    match host.code_signing {
        None => write!(out, "code signing flags unreadable (taken as hardened)")?,
        Some(flags) => {
            write!(out, "code signing flags {flags:#x}")?;
            if flags & CS_PLATFORM_BINARY != 0 {
                write!(out, ", platform binary")?;
            }
            if flags & CS_RUNTIME != 0 {
                write!(out, ", hardened runtime")?;
            }
        }
    }
    if !host.is_hardened() {
        return write!(out, "; not hardened");
    }
    write!(out, "; hardened: an exception port with EXCEPTION_DEFAULT ")?;
    let is_allowed = host
        .darwin
        .release()
        .is_some_and(|release| release.answer(Behavior::Default, Port::Plain, Call::Set, true) == Answer::Allowed);
    out.write_str(if is_allowed {
        "would be fatal from macOS 14.4 on (EXC_GUARD), and is not used"
    } else {
        "may be fatal here (EXC_GUARD), and is not used"
    })?;
    match host.entitlements {
        Entitlements::OnlyOneExceptionPort => write!(out, "; has the entitlement {}", system::ONLY_ONE_EXCEPTION_PORT),
        Entitlements::Unknown => write!(out, "; entitlements unreadable"),
        Entitlements::Harmless => Ok(()),
    }
}

/// How the ports are doing, where they are the backend.
pub(crate) fn write_ports(out: &mut impl Write) -> fmt::Result {
    if ports::SET.load(Ordering::Relaxed) == 0 {
        return writeln!(out, "Mach: the server has lost its port set; signals go on");
    }
    let (answered, dropped) = (ANSWERED.load(Ordering::Relaxed), DROPPED.load(Ordering::Relaxed));
    write!(out, "Mach: EXCEPTION_STATE | MACH_EXCEPTION_CODES, flavor {FLAVOR}; ")?;
    if ports::are_opted_out() {
        write!(out, "ports opted out of the identity protection (MPO_PROVISIONAL_ID_PROT_OPTOUT); ")?;
    }
    write!(out, "{answered} exceptions answered, {dropped} foreign messages dropped")?;
    if SETTABLE_BEHAVIORS.load(Ordering::Relaxed) != u32::MAX {
        write!(out, "; earlier ports with a forbidden behavior are never put back")?;
    }
    let refused = ports::REFUSED.lock();
    if let (count, Some(refusal)) = *refused {
        write!(out, "; {count} times a thread got no port and went on with signals, the last because {refusal}")?;
    }
    drop(refused);
    writeln!(out)?;
    let Some(thread) = super::current() else { return writeln!(out, "this thread: not attached") };
    write!(out, "this thread: ")?;
    if thread.backend.port.load(Ordering::Relaxed) == 0 {
        return writeln!(out, "no exception port, signals only");
    }
    if thread.backend.stepped_aside.get() {
        return writeln!(out, "its earlier exception ports are in place until its next protected call");
    }
    match ports::displaced(thread) {
        Ok(0) => write!(out, "our exception port is in place")?,
        Ok(kinds) => {
            write!(
                out,
                "another exception port is in place for kinds {kinds:#x}; wasmtrap_rearm puts ours back on top"
            )?;
        }
        Err(refusal) => write!(out, "its exception ports cannot be told: {refusal}")?,
    }
    // SAFETY: this thread's, which has no exception now.
    let owners = unsafe { &*thread.backend.earlier.get() }.iter().filter(|entry| entry.is_port()).count();
    match owners {
        0 => writeln!(out),
        _ => writeln!(out, "; what is not a trap goes to the exception port that was there before"),
    }
}
