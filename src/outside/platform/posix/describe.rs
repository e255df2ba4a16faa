//! The system and its objects in words.

use core::fmt;

use super::object_of;
use crate::outside::text::write_c;

/// The system's name and version, and the machine's.
pub(crate) fn describe_system(out: &mut impl fmt::Write) -> fmt::Result {
    // SAFETY: all-zero is a valid utsname to write into.
    let mut system: libc::utsname = unsafe { core::mem::zeroed() };
    // SAFETY: `system` is valid for a write.
    unsafe { libc::uname(&raw mut system) };
    // SAFETY: the fields end in NUL.
    let field = |text: &[core::ffi::c_char]| unsafe { core::ffi::CStr::from_ptr(text.as_ptr()) };
    for (text, after) in [(&system.sysname[..], " "), (&system.release[..], " "), (&system.machine[..], "")] {
        write_c(out, field(text))?;
        out.write_str(after)?;
    }
    Ok(())
}

/// The object that an address belongs to, and its name if that is exported; nothing where it belongs to none.
pub(crate) fn describe_object(out: &mut impl fmt::Write, address: usize) -> fmt::Result {
    let Some((file, base, symbol)) = object_of(address) else { return Ok(()) };
    write!(out, " (")?;
    if let Some(symbol) = symbol {
        write_c(out, symbol)?;
        write!(out, " ")?;
    }
    write!(out, "in ")?;
    write_c(out, file)?;
    write!(out, " at {:#x})", address.wrapping_sub(base))
}
